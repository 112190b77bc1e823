import Testing
import YAML

@Suite("Plain scalars by YAML 1.1")
struct ScalarTests {
    @Test(
        "values",
        arguments: [
            ("", .null), ("~", .null), ("null", .null), ("Null", .null), ("nUll", .string("nUll")),
            ("true", .bool(true)), ("On", .bool(true)), ("yes", .bool(true)), ("y", .bool(true)),
            ("False", .bool(false)), ("off", .bool(false)), ("NO", .bool(false)), ("yEs", .string("yEs")),
            ("0", .integer(0)), ("-12", .integer(-12)), ("+7", .integer(7)), ("1_000", .integer(1000)),
            ("0644", .integer(420)), ("0o17", .integer(15)), ("0x1F", .integer(31)), ("-0x10", .integer(-16)),
            ("0b101", .integer(5)), ("08", .float(8)), ("9223372036854775807", .integer(.max)),
            ("9223372036854775808", .unsigned(9_223_372_036_854_775_808)),
            ("-9223372036854775808", .integer(.min)), ("18446744073709551616", .float(18_446_744_073_709_551_616)),
            ("1.5", .float(1.5)), (".5", .float(0.5)), ("1.", .float(1)), ("1e3", .float(1000)),
            ("-1.5E-2", .float(-0.015)), (".inf", .float(.infinity)), ("-.Inf", .float(-.infinity)),
            (".", .string(".")), ("-", .string("-")), ("1.2.3.4", .string("1.2.3.4")), ("1e", .string("1e")),
            ("--1", .string("--1")), ("0x", .string("0x")), ("0x-1", .string("0x-1")), ("0b2", .string("0b2")),
            ("12:30", .string("12:30")), ("2026-01-02", .string("2026-01-02")), ("abc", .string("abc")),
            ("5Mi", .string("5Mi")), ("infinity", .string("infinity")), ("nan", .string("nan")),
        ] as [(String, YAMLValue)])
    func values(text: String, value: YAMLValue) {
        #expect(YAMLValue(plain: text) == value)
    }
}
