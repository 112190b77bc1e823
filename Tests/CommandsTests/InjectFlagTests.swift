import FoundationEssentials
import TestSupport
import Testing

@testable import Commands

@Suite("inject: flags")
struct InjectFlagTests {
    private func refusal(_ flags: [String]) -> String {
        guard case .refuse(let line) = Interpretation(["inject"] + flags, environment: { _ in nil }) else { return "" }
        return line
    }

    @Test(
        "what cannot be obeyed is one line that names the flag",
        arguments: [
            ("-f x", "--image IMAGE is required"), ("--image s", "--filename FILE is required"),
            ("-f x --image s", "give --terminate, --dial, or --configmap"),
            ("-f x --image s --terminate 8443:8080", "--terminate needs --secret"),
            ("-f x --image s --terminate 8443 --secret t", "allowed: PORT:APP_PORT"),
            ("-f x --image s --terminate 8443:8443 --secret t", "two different ports"),
            ("-f x --image s --terminate 443:8080 --secret t", "port 443 is below 1024"),
            ("-f x --image s --terminate 8443:80,8443:81 --secret t", "port 8443 is both that of --terminate and"),
            ("-f x --image s --terminate 19000:80 --secret t", "the admin address"),
            ("-f x --image s --terminate 8443:8444,8444:80 --secret t", "8444 is one of the sidecar's own"),
            ("-f x --image s --dial 5432:db:5432 --secret t", "--secret needs --terminate"),
            ("-f x --image s --dial 5432:db:5432 --client-ca c", "--client-ca needs --terminate"),
            ("-f x --image s --terminate 8443:80 --secret t --dial-ca c", "--dial-ca needs --dial"),
            ("-f x --image s --terminate 8443:80 --secret t --dial-secret c", "--dial-secret needs --dial"),
            ("-f x --image s --dial 5432:10.0.0.1:5432", "HOST is a DNS name"),
            ("-f x --image s --dial 5432:db.shop.svc:5432", "of no Service (.svc)"),
            ("-f x --image s --dial 5432:db.shop.svc.cluster.local:5432", "of no Service (.svc)"),
            ("-f x --image s --dial 5432:db:5432 --dial-ca Up", "secret/NAME"),
            ("-f x --image {a} --dial 5432:db:5432", "is not the name of an image"),
            ("-f x --image s: --dial 5432:db:5432", "is not the name of an image"),
            ("-f x --image s --dial 5432:db:5432 --probe-port 80", "1024 to 65535"),
        ])
    func refused(flags: String, words: String) {
        let line = refusal(flags.split(separator: " ").map(String.init))
        #expect(line.contains(words) && !line.contains("\n"), "\(line)")
    }

    @Test("docs/reference/cli.md has every flag")
    func documented() throws {
        let root: String = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        let page = try String(contentsOfFile: root + "/docs/reference/cli.md", encoding: .utf8)
        let section = page.split(separator: "\n## ").first { $0.hasPrefix("inject\n") } ?? ""
        for flag in CommandDescription.inject.flags { #expect(section.contains("`--\(flag.name) "), "\(flag.name)") }
    }
}
