// The configuration that runs, and the process.

extension MetricDescriptor {
    static let configuration: [MetricDescriptor] = [
        .generation, .lastReload, .lastReloadTime, .reloads, .applyDuration, .engineApplyDuration, .reconciles,
        .reconcileDuration, .objects, .sessionsDisrupted, .drainActive, .drainRemaining, .buildInfo,
    ]

    static let process: [MetricDescriptor] = [
        .processOpenDescriptors, .processMaxDescriptors, .processResidentMemory, .processVirtualMemory,
        .processThreads, .processCPU, .processStart,
    ]

    public static let generation = MetricDescriptor(
        "sluice_config_generation", .gauge, help: "Configurations applied by every worker since the start.")
    public static let lastReload = MetricDescriptor(
        "sluice_config_last_reload_successful", .gauge, help: "Whether the last load of the source was free of errors.",
        page: """
            1 when the last load of the source was free of errors; what could be read is served either way
            """)
    public static let lastReloadTime = MetricDescriptor(
        "sluice_config_last_reload_success_timestamp_seconds", .gauge,
        help: "When a load of the source was last free of errors.")
    public static let reloads = MetricDescriptor(
        "sluice_config_reloads_total", .counter, .none, ["result"],
        help: "Loads of the source by result; a failure is served in part.",
        page: "loads: `success`, `failure` (served in part)")
    public static let applyDuration = MetricDescriptor(
        "sluice_config_apply_duration_seconds", .histogram, help: "From a change seen to the table in use.",
        page: "from the change of an object that was seen to the table in use on every worker")
    public static let engineApplyDuration = MetricDescriptor(
        "sluice_engine_apply_duration_seconds", .histogram,
        help: "From a configuration handed to the engine to its table in use on every worker.",
        page: "the engine's part of that: from its new configuration to the table in use on every worker")
    public static let reconciles = MetricDescriptor(
        "sluice_reconciles_total", .counter, .none, ["kind", "result"],
        help: "How often objects were worked through, by how many were looked at and by what came of it.",
        page: """
            how often the objects were worked through: all of them (`kind` is `full`), or only what has changed \
            (`incremental`); `result` is `applied` where the engine got another configuration, else `unchanged`
            """)
    public static let reconcileDuration = MetricDescriptor(
        "sluice_reconcile_duration_seconds", .histogram, .none, ["kind", "result"],
        help: "How long that took, the engine's part and the conditions of statuses included.",
        page: "how long that took, the engine's part and the conditions of statuses included")
    public static let objects = MetricDescriptor(
        "sluice_config_objects", .gauge, .none, ["kind", "state"], help: "Objects by kind and state.",
        page: "objects that have a status: `accepted`, `rejected`, `superseded` (an older route serves)")
    public static let sessionsDisrupted = MetricDescriptor(
        "sluice_config_sessions_disrupted_total", .counter,
        help: "Sessions that a change closed: their listener or route is long gone, or a rule denies them now.",
        page: """
            sessions that a change closed: their listener or route was removed longer ago than `routeDrainTimeout`, or new \
            rules with `terminateExisting` deny them
            """)
    public static let drainActive = MetricDescriptor(
        "sluice_drain_active", .gauge, help: "Whether listeners are closed for good.", page: "1 while draining")
    public static let drainRemaining = MetricDescriptor(
        "sluice_drain_connections_remaining", .gauge, help: "Connections that a drain still waits for.")
    public static let buildInfo = MetricDescriptor(
        "sluice_build_info", .gauge, .none, ["version", "commit", "tls_library"], help: "What runs: always 1.",
        page: "always 1")

    public static let processOpenDescriptors = MetricDescriptor(
        "process_open_fds", .gauge, help: "Number of open file descriptors.")
    public static let processMaxDescriptors = MetricDescriptor(
        "process_max_fds", .gauge, help: "Maximum number of open file descriptors.")
    public static let processResidentMemory = MetricDescriptor(
        "process_resident_memory_bytes", .gauge, help: "Resident memory size in bytes.")
    public static let processVirtualMemory = MetricDescriptor(
        "process_virtual_memory_bytes", .gauge, help: "Virtual memory size in bytes.")
    public static let processThreads = MetricDescriptor(
        "process_threads", .gauge, help: "Number of operating system threads.")
    public static let processCPU = MetricDescriptor(
        "process_cpu_seconds_total", .counter, help: "Total user and system CPU time spent in seconds.")
    public static let processStart = MetricDescriptor(
        "process_start_time_seconds", .gauge, help: "Start time of the process since unix epoch in seconds.")
}
