// swift-tools-version: 6.3
import PackageDescription

/// Libraries from the distribution. Each is a module of its own whose header holds the thin shims Swift needs
/// (macros, variadics); only the targets named in docs/architecture.md may import it.
let systemLibraries: [Target] = [
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
]

/// What `sluice version` shows; scripts/build sets it. Only CLinux is compiled anew when it changes.
let buildCommit = Context.environment["SLUICE_BUILD_COMMIT"] ?? "unknown"

/// scripts/fuzz sets it: the fuzzers' executable instead of the tests.
let isFuzzing = Context.environment["SLUICE_FUZZ"] == "1"

let engineSettings: [SwiftSetting] = [
    // The worker's state is reached from one thread only; debug, sanitizer and fuzzer builds keep the check.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
].filter { _ in !isFuzzing }

let package = Package(
    name: "sluice",
    products: [.executable(name: "sluice", targets: ["sluice"])],
    targets: systemLibraries + [
        .target(name: "CLinux", cSettings: [.define("SLUICE_BUILD_COMMIT", to: "\"\(buildCommit)\"")]),

        // Stands in for free in the product, on threads that handle keys.
        .target(name: "CHeap", dependencies: ["CLinux"]),

        // What it wraps is C++; its header is C.
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),

        .target(name: "Primitives"),
        .target(name: "Patterns", dependencies: ["CRE2"]),
        .target(name: "Platform", dependencies: ["CLinux", "Primitives"]),
        .target(name: "Observability", dependencies: ["Platform"]),
        .target(name: "Certificates", dependencies: ["Primitives", "Platform", "COpenSSL"]),
        .target(name: "Resolver", dependencies: ["Primitives", "Platform", "Observability", "CCares"]),

        .target(name: "HTTPClient", dependencies: ["Primitives", "Platform", "Observability", "CCurl"]),

        .target(name: "EngineModel", dependencies: ["Primitives"]),
        .target(
            name: "EventStream", dependencies: ["Platform", "Observability", "EngineModel", "HTTPClient"]),
        .target(name: "EngineCore", dependencies: ["Primitives", "EngineModel"]),
        .target(
            name: "Engine",
            dependencies: [
                "Primitives", "EngineModel", "EngineCore", "Observability", "Platform", "Certificates", "Resolver",
                "Patterns", "CLinux", "COpenSSL",
            ],
            exclude: ["LIFECYCLE.md"],
            swiftSettings: engineSettings),

        .target(name: "KubernetesAPI", dependencies: ["Primitives"]),
        .target(name: "Translation", dependencies: ["Primitives", "KubernetesAPI", "EngineModel"]),
        .target(
            name: "Inspection",
            dependencies: ["Primitives", "KubernetesAPI", "EngineModel", "EngineCore", "Translation"]),
        .target(name: "YAML", dependencies: ["Primitives", "CYAML"]),
        .target(name: "Migration", dependencies: ["Primitives", "YAML"]),
        .target(
            name: "ManifestSource",
            dependencies: [
                "Primitives", "KubernetesAPI", "YAML", "Observability", "Platform", "Certificates", "Patterns",
            ]),
        .target(name: "SnapshotCache", dependencies: ["Observability", "Platform", "COpenSSL"]),
        .target(
            name: "KubernetesClient",
            dependencies: [
                "Primitives", "KubernetesAPI", "YAML", "Observability", "Platform", "Certificates", "HTTPClient",
                "Patterns", "SnapshotCache",
            ]),
        .target(
            name: "Controller",
            dependencies: [
                "Primitives", "KubernetesAPI", "EngineModel", "Translation", "Inspection", "ManifestSource",
                "KubernetesClient", "Observability", "Platform",
            ]),

        // HTML, CSS and JavaScript as bytes.
        .target(name: "CStatusPage", exclude: ["Page"]),
        .target(
            name: "AdminServer",
            dependencies: ["Primitives", "Platform", "Observability", "CMicroHTTPD", "CStatusPage"]),
        .target(
            name: "EchoServer", dependencies: ["Primitives", "Platform", "Observability", "Certificates", "COpenSSL"]),
        .target(
            name: "Commands",
            dependencies: [
                "Primitives", "Platform", "Observability", "KubernetesAPI", "EngineModel", "EventStream", "Translation",
                "Inspection",
                "YAML", "Migration", "ManifestSource", "KubernetesClient", "HTTPClient", "Controller", "AdminServer",
                "EchoServer",
                "Certificates", "SnapshotCache",
            ]),
        .executableTarget(
            name: "sluice",
            dependencies: [
                "CHeap", "Primitives", "Platform", "Observability", "EngineModel", "EventStream", "Engine",
                "Controller",
                "AdminServer",
                "Commands",
            ]),

        .target(name: "TestSupport", dependencies: ["Primitives", "Platform", "COpenSSL"], path: "Tests/TestSupport"),
        .target(
            name: "TestAPIServer", dependencies: ["Primitives", "Platform", "KubernetesAPI", "YAML", "TestSupport"],
            path: "Tests/TestAPIServer"),
        .executableTarget(
            name: "sluice-test-apiserver", dependencies: ["Primitives", "Platform", "TestAPIServer"],
            path: "Tests/TestAPIServerMain"),
        // The engine's machines under a virtual clock. They see the engine's insides, so these two are built as tests are:
        // in the debug configuration.
        .target(
            name: "Simulation",
            dependencies: ["Primitives", "Platform", "Observability", "EngineModel", "EngineCore", "Engine"],
            path: "Tests/Simulation",
            // Ten thousand seeds in a test: what is under test is compiled as ever, who judges it is not slow.
            swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
        .executableTarget(
            name: "sluice-simulate", dependencies: ["Platform", "Simulation"], path: "Tests/SimulationMain"),
        // Stands in for malloc in the test binary, and counts for threads that ask for it.
        .target(name: "AllocationProbe", path: "Tests/AllocationProbe"),
        // Stands in for libc's system calls in one executable, and makes them fail.
        .target(name: "CFaults", path: "Tests/FaultInjection", exclude: ["calls-left-alone"]),
        .executableTarget(
            name: "sluice-faults",
            dependencies: [
                "CFaults", "Certificates", "Engine", "EngineModel", "Observability", "Platform", "Primitives",
                "TestSupport",
            ],
            path: "Tests/Faults"),
    ],
    cxxLanguageStandard: .cxx17
)

/// Unit test targets: one per module, `<Module>Tests`, with the modules it may import.
let tests: [String: [Target.Dependency]] = [
    "AdminServerTests": ["AdminServer", "Observability", "Platform", "Primitives"],
    "CertificatesTests": ["COpenSSL", "Certificates", "Primitives"],
    "CommandsTests": [
        "Commands", "Controller", "EngineModel", "EventStream", "Inspection", "KubernetesAPI", "Migration",
        "Observability", "Platform",
        "Primitives", "Translation", "YAML",
    ],
    "ControlPlaneTests": [
        "Controller", "EngineModel", "KubernetesAPI", "KubernetesClient", "Observability", "Platform", "Primitives",
        "TestAPIServer", "Translation",
    ],
    "ControllerTests": [
        "Controller", "EngineModel", "HTTPClient", "Inspection", "KubernetesAPI", "KubernetesClient", "Observability",
        "Platform", "Primitives", "TestAPIServer", "Translation",
    ],
    "EchoServerTests": ["EchoServer", "Platform", "Primitives"],
    "EngineCoreTests": ["EngineCore", "EngineModel", "Primitives"],
    "EngineTests": [
        "AllocationProbe", "Certificates", "Engine", "EngineCore", "EngineModel", "Observability", "Platform",
        "Primitives", "Resolver",
    ],
    "EventStreamTests": ["EngineModel", "EventStream", "Observability", "Platform"],
    "HTTPClientTests": ["HTTPClient", "Platform", "Primitives"],
    "InspectionTests": [
        "EngineModel", "Inspection", "KubernetesAPI", "Patterns", "Primitives", "Translation", "YAML",
    ],
    "KubernetesAPITests": ["KubernetesAPI", "Primitives"],
    "KubernetesClientTests": [
        "HTTPClient", "KubernetesAPI", "KubernetesClient", "Observability", "Platform", "Primitives", "SnapshotCache",
        "TestAPIServer", "YAML",
    ],
    "LayeringTests": [],
    "MigrationTests": ["Migration", "YAML"],
    "ManifestSourceTests": ["KubernetesAPI", "ManifestSource", "Observability", "Platform", "Primitives", "YAML"],
    "ObservabilityTests": ["Observability", "Platform"],
    "PatternsTests": ["Patterns"],
    "PlatformTests": ["Platform", "Primitives"],
    "PrimitivesTests": ["Primitives"],
    "SimulationTests": ["Platform", "Simulation", "sluice-simulate"],
    "SnapshotCacheTests": ["Observability", "Platform", "SnapshotCache"],
    "SystemTests": ["Inspection", "KubernetesAPI", "Platform", "Primitives", "TestAPIServer"],
    "TestAPIServerTests": ["KubernetesAPI", "Platform", "Primitives", "TestAPIServer", "sluice-test-apiserver"],
    "TestSupportTests": ["Platform", "Primitives"],
    "ResolverTests": ["Resolver", "Observability", "Platform", "Primitives"],
    "TranslationTests": ["EngineModel", "KubernetesAPI", "Patterns", "Primitives", "Translation", "YAML"],
    "YAMLTests": ["YAML"],
]

/// Folders of test targets that hold files to be read rather than compiled.
let fixtures: [String: [String]] = [
    "InspectionTests": ["Golden"],
    "MigrationTests": ["Golden"],
    "ManifestSourceTests": ["BackendCases", "BackendPolicyCases", "ClientPolicyCases", "ParametersCases"],
    "TranslationTests": ["Conformance", "Golden", "Tenancy/README.md"],
]

/// With SLUICE_TEST_TARGETS=A,B only those test targets exist: the sanitizers' builds need no others.
let wantedTests = Context.environment["SLUICE_TEST_TARGETS"].map { Set($0.split(separator: ",").map(String.init)) }

for (name, dependencies) in tests.sorted(by: { $0.key < $1.key }) where wantedTests?.contains(name) ?? true {
    package.targets.append(
        .testTarget(name: name, dependencies: dependencies + ["TestSupport"], exclude: fixtures[name] ?? []))
}

package.targets.first { $0.name == "SystemTests" }?.exclude = ["Peers", "README.md"]

/// What is fuzzed, by whom it may be imported: the replay of the corpora, and the fuzzers' executable, share the sources.
let fuzzed: [Target.Dependency] = [
    "AdminServer", "Certificates", "Commands", "Engine", "EngineCore", "EngineModel", "HTTPClient", "Inspection",
    "KubernetesAPI",
    "KubernetesClient", "ManifestSource", "Observability", "Patterns", "Platform", "Primitives", "TestSupport",
    "Translation", "YAML",
]
if isFuzzing {
    package.targets.removeAll { $0.type == .test }
    package.targets.append(
        .executableTarget(
            name: "sluice-fuzz", dependencies: fuzzed, path: "Tests/Fuzz", exclude: ["Corpora", "Replay"],
            sources: ["Targets", "Main"]))
} else if wantedTests?.contains("FuzzTests") ?? true {
    package.targets.append(
        .testTarget(
            name: "FuzzTests", dependencies: fuzzed, path: "Tests/Fuzz", exclude: ["Corpora", "Main", "README.md"],
            sources: ["Targets", "Replay"]))
}

for target in package.targets where target.type != .system {
    if target.type != .test,
        !["AllocationProbe", "TestSupport", "sluice-simulate", "sluice-test-apiserver"].contains(target.name)
    {
        target.exclude.append("README.md")
    }
    let features = ["ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility"]
    target.swiftSettings = (target.swiftSettings ?? []) + features.map { .enableUpcomingFeature($0) }
    target.swiftSettings?.append(.treatAllWarnings(as: .error))
}
