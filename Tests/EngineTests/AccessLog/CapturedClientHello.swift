/// The hello of a real client; the fingerprint was made by another program, from the same bytes.
enum CapturedClientHello {
    static let ja4 = "t12d150700_d68b136fe8d9_e7e480e5a997"

    static let bytes: [UInt8] = {
        let digits = """
            16030100b9010000b5030379193d74beabe4252da909eb185288be248d12ebb1fec3f51915660ff092f70600001ec02cc030
            c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff0100006e00000018001600001364622e73686f702e657861
            6d706c652e6f7267000b000403000102000a000c000a001d0017001e00190018002300000016000000170000000d002a0028
            040305030603080708080809080a080b080408050806040105010601030303010302040205020602
            """.filter(\.isHexDigit)
        return stride(from: 0, to: digits.count, by: 2).compactMap { offset in
            UInt8(digits.dropFirst(offset).prefix(2), radix: 16)
        }
    }()
}
