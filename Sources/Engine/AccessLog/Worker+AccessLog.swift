internal import COpenSSL
internal import EngineCore
internal import EngineModel
internal import Glibc
internal import Platform
internal import Primitives
internal import Synchronization

// What the access log is told of connections: notes, out of what is at hand. What costs a system call, or a look into a
// certificate, is asked for only where a line is written that shows it.

extension Worker {
    /// Bytes can flow.
    @inline(__always)
    func logOpen(_ slot: Int) {
        let choice = accessChoice(slot)
        if choice.opens || choice.interval > 0 { noteOpen(slot, choice) }
    }

    @inline(never)
    private func noteOpen(_ slot: Int, _ choice: AccessChoice) {
        if choice.interval > 0 { records[slot].nextLineAt = nowMilliseconds + choice.interval }
        if choice.opens { note(slot, .open) }
    }

    /// The session has lasted for another interval.
    func logPeriodic(_ slot: Int) {
        let interval = accessChoice(slot).interval
        records[slot].nextLineAt = interval > 0 ? nowMilliseconds + interval : 0
        if interval > 0 { note(slot, .periodic) }
    }

    /// Before what the connection holds is given back.
    @inline(__always)
    func logClose(_ slot: Int, _ reason: CloseReason, _ side: CloseSide) {
        let isLine = tells(slot, of: reason)
        if isLine || access?.hasEvents == true { note(slot, .close, reason, side, isLine: isLine) }
    }

    /// Keeps what is known of the end that is about to come. True: the access log tells of it.
    func explain(
        _ slot: Int, _ reason: CloseReason, detail: String?, policy: String = "", rule: String = ""
    ) -> Bool {
        guard let access else { return false }
        let isLine = tells(slot, of: reason)
        guard isLine || access.hasEvents else { return false }
        access.explain(records[slot].id, reason, now: now, detail: detail, policy: policy, rule: rule)
        return isLine
    }

    /// Whether an end has a line.
    @inline(__always)
    private func tells(_ slot: Int, of reason: CloseReason) -> Bool {
        guard access?.hasLines == true else { return false }
        return switch accessChoice(slot).closes {
        case .all: true
        case .some(let closes): tells(slot, closes, reason)
        case nil: false
        }
    }

    private func tells(_ slot: Int, _ closes: AccessLogSettings.Closes, _ reason: CloseReason) -> Bool {
        switch reason {
        case .clientClosed, .backendClosed: false
        case .clientReset: closes >= .errors
        default: closes >= .errors || records[slot].stage != .relay
        }
    }

    /// That of the route holds once there is one.
    @inline(__always)
    private func accessChoice(_ slot: Int) -> AccessChoice {
        let record = records + slot
        if let route = record.pointee.route { return route._withUnsafeGuaranteedRef { $0.access } }
        return record.pointee.listener?._withUnsafeGuaranteedRef { $0.access } ?? .none
    }

    /// Tells of a ClientHello, where lines have its fingerprint.
    func noteHello(_ slot: Int, _ hello: UnsafeRawBufferPointer) {
        guard let access else { return }
        let format = records[slot].binding?._withUnsafeGuaranteedRef { $0.primary.accessFormat } ?? .json
        guard format.needs.contains(.hello) || access.hasEvents else { return }
        access.send(hello: hello, of: records[slot].id, slot: slot)
    }

    // MARK: Notes

    private func note(
        _ slot: Int, _ event: AccessEvent, _ reason: CloseReason = .clientClosed, _ side: CloseSide = .client,
        isLine: Bool = true
    ) {
        guard let access, isLine && access.hasLines || event == .close else { return }
        let record = records + slot
        let format = record.pointee.listener?._withUnsafeGuaranteedRef { $0.accessFormat } ?? .json
        var draft = access.draft()
        let note = draft.record
        (note.pointee.event, note.pointee.reason, note.pointee.side) = (event, reason, side)
        note.pointee.format = format.index
        if isLine { note.pointee.flags.insert(.isLine) }
        var needs = format.needs
        if event == .close, access.hasEvents {
            note.pointee.flags.insert(.isEvent)
            needs.formUnion(AccessFormatID.json.needs)
        }
        noteCourse(slot, note)
        noteAddresses(slot, note, needs)
        noteNames(slot, &draft)
        if needs.contains(.others) { noteOthers(slot, note) }
        if let ssl = sides[2 * slot].tls, record.pointee.handshakenAt != 0 {
            noteTLS(ssl, &draft, withCertificate: needs.contains(.certificate))
        }
        if event == .close { access.writeExplanation(to: &draft) }
        access.send(draft)
    }

    @inline(__always)
    private func noteCourse(_ slot: Int, _ note: UnsafeMutablePointer<AccessRecord>) {
        let record = records + slot
        note.pointee.id = record.pointee.id
        note.pointee.slot = UInt32(truncatingIfNeeded: slot)
        note.pointee.generation = tables.value.configurationGeneration
        note.pointee.attempts = record.pointee.attempts
        note.pointee.received = flows[2 * slot].bytes
        note.pointee.sent = flows[2 * slot + 1].bytes
        note.pointee.acceptedAt = record.pointee.acceptedAt
        note.pointee.at = now
        note.pointee.stage =
            record.pointee.stage == .relay ? .relaying : record.pointee.backend != nil ? .connecting : .opening
        if record.pointee.handshakenAt != 0 {
            note.pointee.handshake = record.pointee.handshakenAt &- record.pointee.inspectedAt
        }
        if record.pointee.connectedAt != 0, record.pointee.connectedAt >= record.pointee.dialledAt {
            note.pointee.connect = record.pointee.connectedAt &- record.pointee.dialledAt
            if record.pointee.firstResponseByteAt != 0 {
                note.pointee.firstByte = record.pointee.firstResponseByteAt &- record.pointee.connectedAt
            }
        }
        noteRareTimes(slot, note)
    }

    @inline(__always)
    private func noteRareTimes(_ slot: Int, _ note: UnsafeMutablePointer<AccessRecord>) {
        let record = records + slot
        if let wait = record.pointee.wait {
            // What stands in its line has not waited to the end.
            wait._withUnsafeGuaranteedRef {
                note.pointee.queue = $0.total(now: now)
                note.pointee.ahead = Int32(clamping: $0.ahead)
            }
        }
        if let header = record.pointee.proxyHeader {
            header._withUnsafeGuaranteedRef {
                note.pointee.proxyVersion = $0.header.version.rawValue
                note.pointee.proxy = $0.receivedAt - record.pointee.acceptedAt
            }
        } else {
            note.pointee.flags.insert(.isDirect)
        }
        if let throttles = record.pointee.throttles {
            note.pointee.throttled = throttles[0].waited(now: now) + throttles[1].waited(now: now)
        }
    }

    @inline(__always)
    private func noteAddresses(_ slot: Int, _ note: UnsafeMutablePointer<AccessRecord>, _ needs: AccessNeeds) {
        let record = records + slot
        note.pointee.client = record.pointee.client
        if !note.pointee.flags.contains(.isDirect) { note.pointee.peer = record.pointee.peer }
        if needs.contains(.local), let address = clientsDestination(slot) {
            note.pointee.local = address
            note.pointee.flags.insert(.hasLocal)
        }
        record.pointee.endpoint?._withUnsafeGuaranteedRef { endpoint in
            guard case .ip(let address) = endpoint.address else { return }
            note.pointee.upstream = address
            note.pointee.flags.insert(.hasUpstream)
        }
        if needs.contains(.upstreamLocal), note.pointee.connect >= 0, note.pointee.flags.contains(.hasUpstream),
            let address = localAddress(of: sides[2 * slot + 1].descriptor)
        {
            note.pointee.upstreamLocal = address
            note.pointee.flags.insert(.hasUpstreamLocal)
        }
    }

    /// How many connections there are besides this one.
    private func noteOthers(_ slot: Int, _ note: UnsafeMutablePointer<AccessRecord>) {
        let record = records + slot
        note.pointee.others[0] = Int32(clamping: shared.connections.load(ordering: .relaxed) - 1)
        record.pointee.listener?._withUnsafeGuaranteedRef {
            note.pointee.others[1] = Int32(
                truncatingIfNeeded: Int64(bitPattern: $0.state.counters.sum(ListenerField.active)) - 1)
        }
        record.pointee.backend?._withUnsafeGuaranteedRef {
            note.pointee.others[2] = Int32(
                truncatingIfNeeded: Int64(bitPattern: $0.state.counters.sum(BackendField.active)) - 1)
        }
        record.pointee.endpoint?._withUnsafeGuaranteedRef {
            note.pointee.others[3] = Int32(clamping: $0.active.load(ordering: .relaxed) - 1)
        }
    }

    @inline(__always)
    private func noteNames(_ slot: Int, _ draft: inout AccessDraft) {
        let record = records + slot
        draft.record.pointee.listener = record.pointee.listener?._withUnsafeGuaranteedRef { $0.state.names.reference }
        draft.record.pointee.route = record.pointee.route?._withUnsafeGuaranteedRef { $0.state.names.reference }
        draft.record.pointee.backend = record.pointee.backend?._withUnsafeGuaranteedRef { $0.state.names.reference }
        if !draft.record.pointee.flags.contains(.hasUpstream), let endpoint = record.pointee.endpoint {
            endpoint._withUnsafeGuaranteedRef {
                if case .unix(let path) = $0.address { draft.append(.upstreamPath, path) }
            }
        }
        if let name = record.pointee.serverName { draft.append(.serverName, cString: name) }
    }
}

extension Worker {
    // MARK: TLS

    private func noteTLS(_ ssl: OpaquePointer, _ draft: inout AccessDraft, withCertificate: Bool) {
        draft.record.pointee.flags.insert(.isTerminated)
        if SSL_session_reused(ssl) == 1 { draft.record.pointee.flags.insert(.isResumed) }
        var protocolName: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &protocolName, &length)
        if let protocolName { draft.append(.alpn, protocolName, Int(length)) }
        if let version = SSL_get_version(ssl) { draft.append(.tlsVersion, cString: version) }
        if let cipher = SSL_get_current_cipher(ssl), let name = SSL_CIPHER_get_name(cipher) {
            draft.append(.tlsCipher, cString: name)
        }
        // Of one that did not verify nothing is told: it says nothing of who the client is.
        guard withCertificate, let certificate = SSL_get0_peer_certificate(ssl),
            SSL_get_verify_result(ssl) == Int(X509_V_OK)
        else { return }
        noteSubject(certificate, &draft)
        let identity = clientIdentity(of: certificate)
        let names =
            identity.dnsNames.map { "DNS:\($0)" } + identity.uris.map { "URI:\($0)" }
            + identity.emails.map { "email:\($0)" }
        if !names.isEmpty { draft.append(.names, names.joined(separator: ",")) }
        draft.append(.publicKey, identity.spkiHash)
    }

    /// As RFC 2253 writes it.
    private func noteSubject(_ certificate: OpaquePointer, _ draft: inout AccessDraft) {
        defer { ERR_clear_error() }
        guard let name = X509_get_subject_name(certificate), let output = BIO_new(BIO_s_mem()) else { return }
        defer { BIO_free(output) }
        guard sluice_x509_name_print(output, name) >= 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: AccessRecord.longestText, alignment: 1) { memory in
            guard let start = memory.baseAddress else { return }
            let count = BIO_read(output, start, Int32(memory.count))
            if count > 0 { draft.append(.subject, start, Int(count)) }
        }
    }
}
