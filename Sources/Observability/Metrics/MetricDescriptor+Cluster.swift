// Only with a cluster as the source.

extension MetricDescriptor {
    static let cluster: [MetricDescriptor] = [
        .requests, .watchSynced, .watchLastEvent, .watchRestarts, .watchDecodeErrors, .leader, .leaderTransitions,
        .statusUpdates, .cacheServing, .cacheLoads, .cacheLoadedTime, .cacheWrites, .cacheWriteDuration,
        .cacheLastWrite, .cacheSize,
    ]

    public static let requests = MetricDescriptor(
        "sluice_kubernetes_requests_total", .counter, .none, ["verb", "resource", "code"],
        help: "Requests to the API server by verb, resource and HTTP status; error: there was no answer.",
        page: "requests to the API server; `code` is the HTTP status, `error` where there was no answer")
    public static let watchSynced = MetricDescriptor(
        "sluice_watch_synced", .gauge, .none, ["resource"],
        help: "Whether every watched object of the kind is known.", page: "1 when every object of the kind is known")
    public static let watchLastEvent = MetricDescriptor(
        "sluice_watch_last_event_timestamp_seconds", .gauge, .none, ["resource"],
        help: "When the API server last said something: the age of the data.")
    public static let watchRestarts = MetricDescriptor(
        "sluice_watch_restarts_total", .counter, .none, ["resource", "reason"],
        help: "Watches that were opened again, by reason.",
        page: "watches opened again: `expired` (410, listed again), `error`, `eof`")
    public static let watchDecodeErrors = MetricDescriptor(
        "sluice_watch_decode_errors_total", .counter, .none, ["resource"],
        help: "Versions of objects that could not be read; the last good one is served.")
    public static let leader = MetricDescriptor(
        "sluice_leader", .gauge, help: "Whether this replica writes statuses and Services.",
        page: "1 while this replica writes statuses and Services")
    public static let leaderTransitions = MetricDescriptor(
        "sluice_leader_transitions_total", .counter, help: "How often this replica became the leader.")
    public static let statusUpdates = MetricDescriptor(
        "sluice_status_updates_total", .counter, .none, ["kind", "result"],
        help: "Writes of statuses by kind and result.",
        page: "patches of status: `ok`, `conflict` (made again on the fresh object), `error`")

    public static let cacheServing = MetricDescriptor(
        "sluice_cache_serving", .gauge, help: "Whether the configuration that is served comes from the cache on disk.",
        page: "with `--cache-directory`, 1 while the API server has not said all and the cache on disk stands in for it"
    )
    public static let cacheLoads = MetricDescriptor(
        "sluice_cache_loads", .gauge, .none, ["result"],
        help: "What came of reading the cache at start: 1 for one of them.",
        page: "what came of reading it at start: 1 for one of `ok`, `absent`, `refused` (the log says why)")
    public static let cacheLoadedTime = MetricDescriptor(
        "sluice_cache_loaded_timestamp_seconds", .gauge, help: "When what was read at start was known to be so.")
    public static let cacheWrites = MetricDescriptor(
        "sluice_cache_writes_total", .counter, .none, ["result"], help: "Attempts to write the cache by result.",
        page: "attempts to write it: `ok`, `error` (the file before stays; tried again)")
    public static let cacheWriteDuration = MetricDescriptor(
        "sluice_cache_write_duration_seconds", .histogram,
        help: "How long the cache took to be written and on the disk.")
    public static let cacheLastWrite = MetricDescriptor(
        "sluice_cache_last_write_timestamp_seconds", .gauge, help: "When this process last wrote the cache.")
    public static let cacheSize = MetricDescriptor(
        "sluice_cache_size_bytes", .gauge, help: "Size of the cache's file that was last written or read.")
}
