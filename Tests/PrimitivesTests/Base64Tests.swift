import Primitives
import Testing

@Suite("Base64")
struct Base64Tests {
    @Test(
        "what RFC 4648 encodes is decoded",
        arguments: [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ])
    func texts(text: String, plain: String) {
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test("every byte, and the whole alphabet")
    func bytes() {
        #expect(Base64.decode("AP8Q+/8=") == [0, 255, 16, 251, 255])
        #expect(Base64.decode("/+/+") == [255, 239, 254])
    }

    @Test(
        "what is not padded, or of another alphabet, is none",
        arguments: ["Zg", "Zg=", "Z===", "Zm=v", "Zm-_", "Zm 8", "====", "=Zg="])
    func refused(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
