import ArgumentParser
import Glibc
import HostSystem
import Logging
import TradeWorker

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the worker.",
        discussion: """
            It prints one line `ready intake=… outcomes=… partition=…` once it takes decisions, and logs to standard \
            error. SIGTERM, SIGINT or SIGHUP: it takes no more, finishes the one request in flight, stores, publishes, exits 0.
            While the disk is full, locked or failing it refuses decisions with `storage_failed`, sends nothing, and \
            goes on by itself when it can write again. A damaged database ends it with exit code 74.
            A service manager that asks for it (NOTIFY_SOCKET, WATCHDOG_USEC: systemd's) is told that it is ready, that \
            its main loop turns, how it is, and that it stops.
            With --limits it holds every order against the limits of a JSON file right before it is sent, and refuses \
            those that are against one; deploy/limits.example.json is one, and `check` says what a file limits.
            Settings come from flags, then the environment (names in brackets), then a file, then defaults. The \
            account's key and secret come from APCA_API_KEY_ID and APCA_API_SECRET_KEY, else from systemd's credentials \
            api_key_id and api_secret_key, else from the file that --credentials names, else from the configuration \
            file; files that others can read are refused.
            """)

    @OptionGroup var settings: SettingsOptions

    func run() throws {
        let configuration = try settings.configuration()
        // They are read, and need not stand in /proc any more.
        ProcessEnvironment.blank([Setting.keyID.environmentName, Setting.secretKey.environmentName])
        let log = Logger(label: "trade-executor", factory: { _ in WorkerLogHandler(configuration) })
        do {
            try WorkerProcess.run(configuration, log: log) { line in
                print(line)
                fflush(nil)
            }
        } catch {
            guard error.databaseIsBroken else { throw Failure("\(error)") }
            StandardError.line("Error: \(error)")
            throw ExitCode(Run.databaseIsBroken)
        }
    }

    /// `EX_IOERR` of sysexits.h: a supervisor need not start the worker again.
    private static let databaseIsBroken: Int32 = 74
}
