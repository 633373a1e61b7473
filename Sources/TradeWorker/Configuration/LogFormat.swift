/// How lines of the log are written.
package enum LogFormat: String, Sendable {
    /// For a person: time, level, message, and the ids that it is about.
    case text
    /// One JSON object a line.
    case json
}
