/// Every setting, with its name on the command line, in the environment and in a file, its default and its meaning.
package enum Setting: String, CaseIterable, Sendable {
    case intake
    case outcomes
    case pullIntake = "pull_intake"
    case serverKey = "server_key"
    case allowedKeys = "allowed_keys"
    case ipcUsers = "ipc_users"
    case clientKey = "client_key"
    case serverPublicKey = "server_public_key"
    case stateDirectory = "state_dir"
    case partition
    case brokerURL = "broker_url"
    case brokerConnectTimeout = "broker_connect_timeout_ms"
    case brokerTimeout = "broker_timeout_ms"
    case requestsPerMinute = "requests_per_minute"
    case maxAge = "max_age_s"
    case queueMax = "queue_max"
    case settleTime = "settle_time_s"
    case onUnknown = "on_unknown"
    case limits
    case partitionMap = "partition_map"
    case haltAfterErrors = "halt_after_errors"
    case haltOverUnknown = "halt_over_unknown"
    case haltHolds = "halt_holds"
    case logLevel = "log_level"
    case logFormat = "log_format"
    case credentials
    case keyID = "api_key_id"
    case secretKey = "api_secret_key"

    /// What decides about orders, of what is never secret and always has a value.
    static let recorded: [Setting] = [
        .partition, .brokerURL, .brokerConnectTimeout, .brokerTimeout, .maxAge, .queueMax, .settleTime, .onUnknown,
        .haltAfterErrors, .haltOverUnknown, .haltHolds,
    ]

    /// Its name in the environment. The account's have the names that Alpaca's own kits use.
    package var environmentName: String {
        switch self {
        case .brokerURL: "APCA_API_BASE_URL"
        case .keyID: "APCA_API_KEY_ID"
        case .secretKey: "APCA_API_SECRET_KEY"
        default: "TRADE_EXECUTOR_" + rawValue.uppercased()
        }
    }

    /// Its long flag; nil for what must not stand in a process list.
    package var flag: String? {
        switch self {
        case .keyID, .secretKey: nil
        default: "--" + String(rawValue.map { $0 == "_" ? "-" : $0 })
        }
    }

    /// What it is when nobody says; nil where there is none, or where it depends on others.
    package var defaultText: String? {
        switch self {
        case .intake: "tcp://127.0.0.1:5555"
        case .outcomes: "tcp://127.0.0.1:5556"
        case .partition: "p0"
        case .brokerURL: "https://paper-api.alpaca.markets"
        case .brokerConnectTimeout: "5000"
        case .brokerTimeout: "30000"
        case .maxAge: "300"
        case .queueMax: "100000"
        case .settleTime: "30"
        case .onUnknown: "continue"
        case .haltAfterErrors, .haltOverUnknown: "0"
        case .haltHolds: "false"
        case .logLevel: "notice"
        case .logFormat: "text"
        case .pullIntake, .serverKey, .allowedKeys, .ipcUsers, .clientKey, .serverPublicKey, .stateDirectory,
            .requestsPerMinute, .limits, .partitionMap, .credentials, .keyID, .secretKey:
            nil
        }
    }

    package var help: String {
        switch self {
        case .intake:
            "Where decisions come in (ROUTER): tcp:// on this machine, or ipc://; with --server-key any address."
        case .outcomes: "Where outcomes go out (XPUB)."
        case .pullIntake: "A second intake that gives no acknowledgement (PULL); none unless set."
        case .serverKey:
            "File with the worker's secret key (`keys generate`): endpoints are then encrypted, and open to allowed keys only."
        case .allowedKeys: "The list of keys that are let in (`keys allow`); read again when it changes."
        case .ipcUsers:
            "Ids of users that may connect to ipc:// endpoints, with commas between; this user alone unless set."
        case .clientKey: "File with your own secret key (`keys generate`), for a worker whose endpoints are guarded."
        case .serverPublicKey: "The worker's public key, or the file with it; that of --server-key unless set."
        case .stateDirectory:
            "Directory of the database, the lock and the halts; by default in $XDG_STATE_HOME or ~/.local/state."
        case .partition: "Name of the set of strategies that this worker serves."
        case .brokerURL: "Alpaca's address; https://api.alpaca.markets trades real money."
        case .brokerConnectTimeout: "How long connecting to the broker may take, in milliseconds."
        case .brokerTimeout: "How long a request to the broker may take in all, in milliseconds."
        case .requestsPerMinute:
            "The account's allowance; requests wait their turn within it. 0 is none; 200 unless the broker is a simulator."
        case .maxAge: "How long a decision that names no deadline may wait before it is refused, in seconds."
        case .queueMax: "How many accepted decisions may wait."
        case .settleTime: "How long after a lost answer an order must be missing to count as absent, in seconds."
        case .onUnknown: "While an attempt is unknown, its strategy's next decisions: continue, or hold-strategy."
        case .limits:
            "A JSON file of limits that every order is held against; read again when it changes. No limits unless set."
        case .partitionMap:
            """
            A JSON file that says which worker serves which strategy, and where; read again when it changes. A worker \
            with one takes decisions of its own partition's strategies only. All strategies unless set.
            """
        case .haltAfterErrors:
            """
            Halts all trading after so many broker errors in a row: answers lost, nothing sent, HTTP 401, 429 or 5xx; \
            not orders that are refused. 0 is never.
            """
        case .haltOverUnknown:
            """
            Halts all trading when more attempts than this are unknown; after `resume` only when they become more. \
            0 is never.
            """
        case .haltHolds:
            "Whether waiting decisions wait when the worker halts by itself, instead of being refused: true or false."
        case .logLevel:
            """
            How much is logged to standard error: trace, debug, info, notice, warning, error or critical. At info every \
            decision is followed.
            """
        case .logFormat: "How log lines are written: text, or json, one object a line."
        case .credentials:
            """
            A file with the two lines `api_key_id = …` and `api_secret_key = …`, which nobody else can read. Before it \
            count the environment, and systemd's credentials api_key_id and api_secret_key.
            """
        case .keyID: "The account's key id. In a file, which must be readable by its owner only, or the environment."
        case .secretKey: "The account's secret key. The same."
        }
    }
}
