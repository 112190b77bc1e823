/// A whole file: sealed, and opened again.
enum CacheFile {
    /// `key` nil: a checksum alone.
    static func seal(_ cluster: CachedCluster, key: CacheKey?) throws(CacheProblem) -> WipedBytes {
        let body = CacheBody(cluster)
        var header = CacheHeader(
            seal: key == nil ? .checksum : .encrypted, asOf: cluster.asOf, bodyCount: body.count)
        guard header.fileCount <= CacheHeader.largest else { throw .tooLarge(header.fileCount) }
        if let key {
            guard let nonce = AuthenticatedEncryption.randomNonce() else { throw .damaged("there are no random bytes") }
            (header.keyIdentifier, header.nonce) = (key.identifier, nonce)
        }
        let file = WipedBytes(count: header.fileCount)
        let (start, text, end) = parts(of: file.memory, header)
        start.copyBytes(from: header.bytes)
        body.write(to: text)
        guard let key else {
            end.copyBytes(from: sha256(UnsafeRawBufferPointer(rebasing: file.memory.dropLast(end.count))))
            return file
        }
        guard
            let tag = AuthenticatedEncryption.seal(
                text, with: key, nonce: header.nonce, associated: UnsafeRawBufferPointer(start))
        else { throw .damaged("OpenSSL does not encrypt") }
        end.copyBytes(from: tag)
        return file
    }

    /// `keys` nil: only what has a checksum; otherwise only what one of them sealed. Decrypts in place.
    static func open(_ file: borrowing WipedBytes, keys: CacheKeys?) throws(CacheProblem) -> CachedCluster {
        let header = try CacheHeader(UnsafeRawBufferPointer(file.memory), fileCount: file.count)
        let (start, text, end) = parts(of: file.memory, header)
        switch (header.seal, keys) {
        case (.encrypted, nil): throw .sealed
        case (.checksum, _?): throw .notSealed
        case (.checksum, nil):
            let digest = sha256(UnsafeRawBufferPointer(rebasing: file.memory.dropLast(end.count)))
            guard end.elementsEqual(digest) else { throw .damaged("its checksum is another one") }
        case (.encrypted, let keys?):
            guard let key = keys[header.keyIdentifier] else { throw .otherKey }
            guard
                AuthenticatedEncryption.open(
                    text, with: key, nonce: header.nonce, associated: UnsafeRawBufferPointer(start), tag: Array(end))
            else { throw .damaged("it is not what was sealed") }
        }
        return try CacheBody.read(UnsafeRawBufferPointer(text), asOf: header.asOf)
    }

    private typealias Part = UnsafeMutableRawBufferPointer

    private static func parts(of memory: Part, _ header: CacheHeader) -> (header: Part, body: Part, trailer: Part) {
        let end = CacheHeader.count + header.bodyCount
        return (
            Part(rebasing: memory[..<CacheHeader.count]), Part(rebasing: memory[CacheHeader.count..<end]),
            Part(rebasing: memory[end...])
        )
    }
}
