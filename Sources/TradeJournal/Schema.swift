import GRDB

/// The tables, as migrations. The names of tables and columns are the contract's; others read them with `sqlite3`.
///
/// A new column is a new migration at the end; what stands here is never changed.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: decisions, payloads, executions, orders, outcomes, refusals") { database in
            try database.execute(sql: version1)
            try database.execute(
                sql: "INSERT INTO database_identity (stream, created_at) VALUES (lower(hex(randomblob(8))), ?)",
                arguments: [try String.fetchOne(database, sql: "SELECT strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')")])
        }
        migrator.registerMigration("2: how lost attempts were resolved") { database in
            try database.execute(sql: version2)
        }
        migrator.registerMigration("3: fewer indexes on the path of a decision") { database in
            try database.execute(sql: version3)
            try spellOutDecisionStatuses(database)
        }
        migrator.registerMigration("4: who halted, when and why") { database in
            try database.execute(sql: haltEvents)
        }
        migrator.registerMigration("5: copies, and restorations from them") { database in
            try database.execute(sql: restorations)
        }
        migrator.registerMigration("6: which partition maps were in force") { database in
            try database.execute(sql: partitionMaps)
        }
        migrator.registerMigration("7: strategies that move between partitions") { database in
            try database.execute(sql: strategyMoves)
        }
        migrator.registerMigration("8: what was archived") { database in
            try database.execute(sql: archives)
        }
        migrator.registerMigration("9: which settings were in force") { database in
            try database.execute(sql: settingsInForce)
        }
        migrator.registerMigration("10: strategies that move between machines") { database in
            try database.execute(sql: handOvers)
        }
        return migrator
    }

    private static let settingsInForce = """
        CREATE TABLE settings_in_force (
            id INTEGER PRIMARY KEY,
            setting TEXT NOT NULL,                 -- its name, as in a configuration file
            value BLOB,                            -- of limits and allowed_keys: what the file says; NULL: none from here on
            taken_at TEXT NOT NULL
        );
        CREATE INDEX settings_in_force_setting ON settings_in_force (setting, id);
        CREATE TRIGGER settings_in_force_are_never_changed BEFORE UPDATE ON settings_in_force
            BEGIN SELECT RAISE(ABORT, 'settings in force are never changed'); END;
        CREATE TRIGGER settings_in_force_are_never_deleted BEFORE DELETE ON settings_in_force
            BEGIN SELECT RAISE(ABORT, 'settings in force are never deleted'); END;
        """

    /// One more word for a step: its check cannot be changed in place.
    private static let handOvers = """
        CREATE TABLE new_strategy_moves (
            id INTEGER PRIMARY KEY,
            move_id TEXT NOT NULL,                 -- the same in both databases
            strategy_name TEXT NOT NULL,
            step TEXT NOT NULL
                CHECK (step = 'draining' OR step = 'released' OR step = 'handed_over' OR step = 'kept'
                    OR step = 'imported' OR step = 'opened' OR step = 'gone'),
            partition TEXT NOT NULL,               -- the other one
            at TEXT NOT NULL
        );
        INSERT INTO new_strategy_moves SELECT id, move_id, strategy_name, step, partition, at FROM strategy_moves;
        DROP TABLE strategy_moves;
        ALTER TABLE new_strategy_moves RENAME TO strategy_moves;
        CREATE INDEX strategy_moves_strategy ON strategy_moves (strategy_name, id);
        CREATE INDEX strategy_moves_move ON strategy_moves (move_id);
        CREATE TRIGGER strategy_moves_are_never_changed BEFORE UPDATE ON strategy_moves
            BEGIN SELECT RAISE(ABORT, 'moves are never changed'); END;
        CREATE TRIGGER strategy_moves_are_never_deleted BEFORE DELETE ON strategy_moves
            BEGIN SELECT RAISE(ABORT, 'moves are never deleted'); END;
        """

    private static let archives = """
        -- Of an archive, which holds some of the decisions only: when they had ended. NULL in every other database.
        ALTER TABLE database_identity ADD COLUMN archived_before TEXT;
        CREATE TABLE archives (
            id INTEGER PRIMARY KEY,
            archived_at TEXT NOT NULL,
            by_whom TEXT NOT NULL,
            ended_before TEXT NOT NULL,
            file TEXT NOT NULL,
            file_sha256 TEXT NOT NULL,             -- its digest, in hexadecimal digits
            executions INTEGER NOT NULL            -- how many it holds
        );
        CREATE TRIGGER archives_are_never_changed BEFORE UPDATE ON archives
            BEGIN SELECT RAISE(ABORT, 'archives are never changed'); END;
        CREATE TRIGGER archives_are_never_deleted BEFORE DELETE ON archives
            BEGIN SELECT RAISE(ABORT, 'archives are never deleted'); END;
        -- Where its execution, payloads and orders are; NULL: here.
        ALTER TABLE trade_decisions ADD COLUMN archive_id INTEGER REFERENCES archives (id);
        """

    private static let restorations = """
        ALTER TABLE database_identity ADD COLUMN copied_at TEXT;  -- of a copy: when it was taken; NULL in a worker's own
        CREATE TABLE restorations (
            id INTEGER PRIMARY KEY,
            restored_at TEXT NOT NULL,
            by_whom TEXT NOT NULL,
            file TEXT NOT NULL,                    -- the copy
            file_sha256 TEXT NOT NULL,             -- its digest, in hexadecimal digits
            copied_at TEXT,                        -- when it was taken; NULL where it does not say
            last_seq INTEGER NOT NULL,             -- the last outcome in it: later numbers may have been given twice
            former_stream TEXT NOT NULL,
            stream TEXT NOT NULL                   -- the one that began here
        );
        CREATE TRIGGER restorations_are_never_changed BEFORE UPDATE ON restorations
            BEGIN SELECT RAISE(ABORT, 'restorations are never changed'); END;
        CREATE TRIGGER restorations_are_never_deleted BEFORE DELETE ON restorations
            BEGIN SELECT RAISE(ABORT, 'restorations are never deleted'); END;
        """

    private static let strategyMoves = """
        CREATE TABLE strategy_moves (
            id INTEGER PRIMARY KEY,
            move_id TEXT NOT NULL,                 -- the same in both databases
            strategy_name TEXT NOT NULL,
            step TEXT NOT NULL
                CHECK (step = 'draining' OR step = 'released' OR step = 'kept'
                    OR step = 'imported' OR step = 'opened' OR step = 'gone'),
            partition TEXT NOT NULL,               -- the other one
            at TEXT NOT NULL
        );
        CREATE INDEX strategy_moves_strategy ON strategy_moves (strategy_name, id);
        CREATE INDEX strategy_moves_move ON strategy_moves (move_id);
        CREATE TRIGGER strategy_moves_are_never_changed BEFORE UPDATE ON strategy_moves
            BEGIN SELECT RAISE(ABORT, 'moves are never changed'); END;
        CREATE TRIGGER strategy_moves_are_never_deleted BEFORE DELETE ON strategy_moves
            BEGIN SELECT RAISE(ABORT, 'moves are never deleted'); END;

        -- Of a decision that was carried over: what was acknowledged, by the database that accepted it.
        ALTER TABLE trade_decisions ADD COLUMN accepted_stream TEXT;
        ALTER TABLE trade_decisions ADD COLUMN accepted_seq INTEGER;
        """

    private static let partitionMaps = """
        CREATE TABLE partition_maps (
            epoch INTEGER PRIMARY KEY,
            map TEXT NOT NULL,                     -- what the file said, as JSON
            taken_at TEXT NOT NULL
        );
        CREATE TRIGGER partition_maps_are_never_changed BEFORE UPDATE ON partition_maps
            BEGIN SELECT RAISE(ABORT, 'partition maps are never changed'); END;
        CREATE TRIGGER partition_maps_are_never_deleted BEFORE DELETE ON partition_maps
            BEGIN SELECT RAISE(ABORT, 'partition maps are never deleted'); END;
        """

    private static let haltEvents = """
        CREATE TABLE halt_events (
            id INTEGER PRIMARY KEY,
            at TEXT NOT NULL,
            action TEXT NOT NULL CHECK (action = 'halted' OR action = 'resumed'),
            scope TEXT NOT NULL,                   -- as the file of the halt is called: all, strategy-NAME
            hold INTEGER NOT NULL DEFAULT 0 CHECK (hold IN (0, 1)),
            reason TEXT,
            by_whom TEXT,                          -- NULL: nobody has said so, the worker has noticed it
            noted_at TEXT NOT NULL,
            history_end INTEGER                    -- where its line in halt-history.jsonl ends; NULL where it has none
        );
        CREATE INDEX halt_events_scope ON halt_events (scope, id);
        CREATE TRIGGER halt_events_are_never_changed BEFORE UPDATE ON halt_events
            BEGIN SELECT RAISE(ABORT, 'halt events are never changed'); END;
        CREATE TRIGGER halt_events_are_never_deleted BEFORE DELETE ON halt_events
            BEGIN SELECT RAISE(ABORT, 'halt events are never deleted'); END;
        """

    /// A page of an index is written anew in every commit that touches it, so each index that a decision passes through
    /// costs it time. These serve the same questions with half as many.
    private static let version3 = """
        DROP INDEX trade_decisions_waiting;
        DROP INDEX trade_decisions_executing;
        -- What is on its way, the front of the queue beside what is executing.
        CREATE INDEX trade_decisions_open ON trade_decisions (status, id)
            WHERE status = 'pending' OR status = 'executing';

        -- An execution names its request and its answer; this finds the look-ups.
        DROP INDEX api_payloads_decision;
        CREATE INDEX api_payloads_look_ups ON api_payloads (trade_decision_id) WHERE method = 'GET';

        -- As before, without an index of client order ids: each is made of its decision's names, which are unique, and a
        -- decision has one execution.
        CREATE TABLE trade_executions_3 (
            id INTEGER PRIMARY KEY,
            trade_decision_id INTEGER NOT NULL UNIQUE REFERENCES trade_decisions (id),
            execution_id TEXT NOT NULL UNIQUE,
            client_order_id TEXT NOT NULL,
            attempt_number INTEGER NOT NULL DEFAULT 1 CHECK (attempt_number = 1),
            status TEXT NOT NULL
                CHECK (status = 'submitted' OR status = 'accepted' OR status = 'filled' OR status = 'rejected'
                    OR status = 'cancelled' OR status = 'partial_fill'),
            certainty TEXT NOT NULL
                CHECK (certainty = 'sending' OR certainty = 'answered' OR certainty = 'not_sent'
                    OR certainty = 'unknown'),
            api_request_payload_id INTEGER NOT NULL REFERENCES api_payloads (id),
            api_response_payload_id INTEGER REFERENCES api_payloads (id),
            alpaca_order_id TEXT,
            followed_order_id TEXT,                -- the placed order, or the last that replaced it
            order_status TEXT,                     -- the broker's word
            order_updated_at TEXT,                 -- the broker's time of the newest state taken
            http_status_code INTEGER,
            error_message TEXT,
            error_details TEXT,
            resolution TEXT                        -- how it became known what had come of a lost attempt
                CHECK (resolution = 'found' OR resolution = 'adopted' OR resolution = 'absent' OR resolution = 'taken'),
            broker_knows_id INTEGER NOT NULL DEFAULT 0  -- the POST was answered "client_order_id must be unique"
                CHECK (broker_knows_id IN (0, 1)),
            legs_open INTEGER NOT NULL DEFAULT 0   -- exits that hang on the order live on
                CHECK (legs_open IN (0, 1)),
            lost_at TEXT,                          -- when an answer was known to be lost; the settle time counts from here
            lost_boot_id TEXT,
            lost_monotonic_us INTEGER,
            filled_quantity TEXT,
            filled_before_replacement TEXT NOT NULL DEFAULT '0',
            filled_avg_price TEXT,
            commission TEXT,
            look_ups INTEGER NOT NULL DEFAULT 0,   -- how many look-ups had been made at the last change
            submitted_at TEXT NOT NULL,
            filled_at TEXT,
            rejected_at TEXT,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        );
        INSERT INTO trade_executions_3
        SELECT id, trade_decision_id, execution_id, client_order_id, attempt_number, status, certainty,
            api_request_payload_id, api_response_payload_id, alpaca_order_id, followed_order_id, order_status,
            order_updated_at, http_status_code, error_message, error_details, resolution, broker_knows_id, legs_open,
            lost_at, lost_boot_id, lost_monotonic_us, filled_quantity, filled_before_replacement, filled_avg_price,
            commission, look_ups, submitted_at, filled_at, rejected_at, created_at, updated_at
        FROM trade_executions ORDER BY id;
        DROP TABLE trade_executions;
        ALTER TABLE trade_executions_3 RENAME TO trade_executions;
        CREATE INDEX trade_executions_created ON trade_executions (created_at);
        -- Nearly all executions end as filled: those are found by walking all, newest first.
        CREATE INDEX trade_executions_open ON trade_executions (created_at)
            WHERE (status = 'submitted' OR status = 'accepted') OR (certainty = 'sending' OR certainty = 'unknown');
        CREATE INDEX trade_executions_not_filled ON trade_executions (status, created_at)
            WHERE status = 'rejected' OR status = 'cancelled' OR status = 'partial_fill';
        CREATE INDEX trade_executions_failures ON trade_executions (error_message, http_status_code, created_at,
            trade_decision_id) WHERE status = 'rejected';
        CREATE INDEX trade_executions_legs_open ON trade_executions (trade_decision_id) WHERE legs_open = 1;

        -- An execution names the order that its attempt placed; this finds legs and replacements.
        ALTER TABLE alpaca_orders ADD COLUMN placed INTEGER NOT NULL DEFAULT 0 CHECK (placed IN (0, 1));
        DROP INDEX alpaca_orders_decision;
        CREATE INDEX alpaca_orders_related ON alpaca_orders (trade_decision_id) WHERE placed = 0;

        -- The decision's outcome before this one; its last one stands in trade_decisions.
        ALTER TABLE outcomes ADD COLUMN previous_seq INTEGER;
        UPDATE outcomes SET previous_seq = (
            SELECT max(before.seq) FROM outcomes before
            WHERE before.trade_decision_id = outcomes.trade_decision_id AND before.seq < outcomes.seq);
        DROP INDEX outcomes_decision;
        """

    /// Writes `a = 1 OR a = 2 OR a = 3` for `a IN (1, 2, 3)` in the check of the decisions' status: for a list of more
    /// than two, SQLite builds a table in memory each time it looks at a row, at more than the cost of writing the row.
    ///
    /// The rows are not touched. Source: "Making Other Kinds Of Table Schema Changes",
    /// https://www.sqlite.org/lang_altertable.html#otheralter
    private static func spellOutDecisionStatuses(_ database: Database) throws {
        let statuses = ["pending", "executing", "executed", "failed"]
        let list = statuses.map { "'\($0)'" }.joined(separator: ", ")
        let terms = statuses.map { "status = '\($0)'" }.joined(separator: " OR ")
        let version = try Int.fetchOne(database, sql: "PRAGMA schema_version") ?? 0
        try database.execute(sql: "PRAGMA writable_schema = ON")
        try database.execute(
            sql: "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'trade_decisions'",
            arguments: ["status IN (\(list))", terms])
        try database.execute(sql: "PRAGMA schema_version = \(version + 1)")
        try database.execute(sql: "PRAGMA writable_schema = RESET")
    }

    private static let version2 = """
        ALTER TABLE trade_executions ADD COLUMN resolution TEXT
            CHECK (resolution IN ('found', 'adopted', 'absent', 'taken'));
        -- Whether exits that hang on the order live on.
        ALTER TABLE trade_executions ADD COLUMN legs_open INTEGER NOT NULL DEFAULT 0 CHECK (legs_open IN (0, 1));
        CREATE INDEX trade_executions_legs_open ON trade_executions (trade_decision_id) WHERE legs_open = 1;
        -- Whether the POST was answered with "client_order_id must be unique".
        ALTER TABLE trade_executions ADD COLUMN broker_knows_id INTEGER NOT NULL DEFAULT 0
            CHECK (broker_knows_id IN (0, 1));
        -- When an answer was known to be lost; the settle time counts from here.
        ALTER TABLE trade_executions ADD COLUMN lost_at TEXT;
        ALTER TABLE trade_executions ADD COLUMN lost_boot_id TEXT;
        ALTER TABLE trade_executions ADD COLUMN lost_monotonic_us INTEGER;
        """

    private static let version1 = """
        -- One row: which history this is.
        CREATE TABLE database_identity (
            stream TEXT NOT NULL,
            created_at TEXT NOT NULL
        );

        CREATE TABLE trade_decisions (
            id INTEGER PRIMARY KEY,                -- the order of acceptance, decision_seq in acks
            decision_id TEXT NOT NULL,
            strategy_name TEXT NOT NULL,
            symbol TEXT,                           -- NULL for mleg
            side TEXT,                             -- NULL for mleg
            quantity TEXT,
            notional TEXT,
            order_type TEXT NOT NULL,
            time_in_force TEXT NOT NULL,
            limit_price TEXT,
            stop_price TEXT,
            trail_price TEXT,
            trail_percent TEXT,
            order_class TEXT,
            rationale TEXT,
            status TEXT NOT NULL DEFAULT 'pending'
                CHECK (status IN ('pending', 'executing', 'executed', 'failed')),
            failure_reason TEXT,
            expires_at TEXT NOT NULL,              -- the deadline in force: the author's, or max_age from acceptance
            expires_boot_id TEXT NOT NULL,         -- the same deadline on the monotonic clock of this boot
            expires_monotonic_us INTEGER NOT NULL,
            sequence INTEGER,
            sender TEXT,                           -- who published it: NAME@ADDRESS key PUBLIC-KEY, or the address
            message TEXT NOT NULL,                 -- the decision frame, byte for byte
            last_outcome_seq INTEGER,
            received_at TEXT NOT NULL,
            executed_at TEXT,
            failed_at TEXT,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            UNIQUE (strategy_name, decision_id)
        );
        CREATE INDEX trade_decisions_waiting ON trade_decisions (id) WHERE status = 'pending';
        CREATE INDEX trade_decisions_executing ON trade_decisions (id) WHERE status = 'executing';
        CREATE INDEX trade_decisions_failed ON trade_decisions (failure_reason, failed_at, strategy_name, symbol)
            WHERE status = 'failed';
        CREATE INDEX trade_decisions_symbol ON trade_decisions (symbol, id);
        CREATE INDEX trade_decisions_strategy ON trade_decisions (strategy_name, id);
        CREATE UNIQUE INDEX trade_decisions_sequence ON trade_decisions (strategy_name, sequence)
            WHERE sequence IS NOT NULL;

        CREATE TABLE api_payloads (
            id INTEGER PRIMARY KEY,
            type TEXT NOT NULL CHECK (type IN ('ApiRequest', 'ApiResponse')),
            source TEXT NOT NULL DEFAULT 'alpaca',
            method TEXT NOT NULL,
            endpoint TEXT NOT NULL,
            status_code INTEGER,                   -- NULL for requests and for answers that never came
            body BLOB NOT NULL,                    -- exact bytes; stored as text where they are text
            headers TEXT,                          -- JSON: request id and rate limit
            synthetic INTEGER NOT NULL DEFAULT 0 CHECK (synthetic IN (0, 1)),
            trade_decision_id INTEGER NOT NULL REFERENCES trade_decisions (id),
            captured_at TEXT NOT NULL
        );
        CREATE INDEX api_payloads_decision ON api_payloads (trade_decision_id);
        CREATE TRIGGER api_payloads_are_never_changed BEFORE UPDATE ON api_payloads
            BEGIN SELECT RAISE(ABORT, 'payloads are never changed'); END;
        CREATE TRIGGER api_payloads_are_never_deleted BEFORE DELETE ON api_payloads
            BEGIN SELECT RAISE(ABORT, 'payloads are never deleted'); END;

        CREATE TABLE trade_executions (
            id INTEGER PRIMARY KEY,
            trade_decision_id INTEGER NOT NULL UNIQUE REFERENCES trade_decisions (id),
            execution_id TEXT NOT NULL UNIQUE,
            client_order_id TEXT NOT NULL UNIQUE,
            attempt_number INTEGER NOT NULL DEFAULT 1 CHECK (attempt_number = 1),
            status TEXT NOT NULL
                CHECK (status IN ('submitted', 'accepted', 'filled', 'rejected', 'cancelled', 'partial_fill')),
            certainty TEXT NOT NULL CHECK (certainty IN ('sending', 'answered', 'not_sent', 'unknown')),
            api_request_payload_id INTEGER NOT NULL REFERENCES api_payloads (id),
            api_response_payload_id INTEGER REFERENCES api_payloads (id),
            alpaca_order_id TEXT,
            followed_order_id TEXT,                -- the placed order, or the last that replaced it
            order_status TEXT,                     -- the broker's word
            order_updated_at TEXT,                 -- the broker's time of the newest state taken
            http_status_code INTEGER,
            error_message TEXT,
            error_details TEXT,
            filled_quantity TEXT,
            filled_before_replacement TEXT NOT NULL DEFAULT '0',
            filled_avg_price TEXT,
            commission TEXT,
            look_ups INTEGER NOT NULL DEFAULT 0,   -- how many look-ups had been made at the last change
            submitted_at TEXT NOT NULL,
            filled_at TEXT,
            rejected_at TEXT,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        );
        CREATE INDEX trade_executions_status ON trade_executions (status, created_at);
        CREATE INDEX trade_executions_created ON trade_executions (created_at);
        CREATE INDEX trade_executions_unsettled ON trade_executions (created_at)
            WHERE certainty IN ('sending', 'unknown');
        CREATE INDEX trade_executions_failures ON trade_executions (error_message, http_status_code, created_at,
            trade_decision_id) WHERE status = 'rejected';

        CREATE TABLE alpaca_orders (
            id INTEGER PRIMARY KEY,
            trade_decision_id INTEGER NOT NULL REFERENCES trade_decisions (id),
            alpaca_order_id TEXT NOT NULL UNIQUE,
            parent_order_id TEXT,                  -- for the legs of brackets, OCO, OTO and mleg
            replaced_by TEXT,
            client_order_id TEXT,
            symbol TEXT,
            side TEXT,
            quantity TEXT,
            notional TEXT,
            status TEXT NOT NULL,                  -- the broker's word
            filled_quantity TEXT,
            filled_avg_price TEXT,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        );
        CREATE INDEX alpaca_orders_decision ON alpaca_orders (trade_decision_id);

        CREATE TABLE outcomes (
            seq INTEGER PRIMARY KEY,
            strategy_seq INTEGER NOT NULL,
            strategy_name TEXT NOT NULL,
            trade_decision_id INTEGER NOT NULL REFERENCES trade_decisions (id),
            topic TEXT NOT NULL,
            body TEXT NOT NULL,
            created_at TEXT NOT NULL,
            UNIQUE (strategy_name, strategy_seq)
        );
        CREATE INDEX outcomes_decision ON outcomes (trade_decision_id);

        CREATE TABLE refused_messages (
            id INTEGER PRIMARY KEY,
            received_at TEXT NOT NULL,
            sender TEXT,
            code TEXT NOT NULL,
            message TEXT NOT NULL,
            body BLOB NOT NULL                     -- the first 4 KiB; stored as text where they are text
        );
        CREATE INDEX refused_messages_received ON refused_messages (received_at);
        """
}
