import AlpacaAPI
import HostSystem
package import Logging
import TradingCore

/// Writes the log to standard error, a line at a time, without the account's key and secret, and without ever waiting
/// for who reads it.
package struct WorkerLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let format: LogFormat
    private let credentials: Credentials
    private let output = LogOutput()
    private let clock = SystemClock()

    package init(_ configuration: Configuration) {
        logLevel = configuration.logLevel
        format = configuration.logFormat
        credentials = configuration.credentials
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let about = metadata.merging(event.metadata ?? [:]) { _, ofThisLine in ofThisLine }
        output.write(line(event.level, "\(event.message)", about)) { lost in
            line(
                .warning,
                "\(lost) lines of the log were lost here: standard error was not read, or could not be written", [:])
        }
    }

    private func line(_ level: Logger.Level, _ message: String, _ about: Logger.Metadata) -> [UInt8] {
        var bytes = LogLine(at: clock.now(), level: level, message: message, about: about).bytes(format)
        // No message should hold them; one that quotes somebody else may.
        _ = credentials.redact(&bytes, mayBeCut: false)
        return bytes
    }
}
