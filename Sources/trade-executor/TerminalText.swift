import TradingCore

/// Text of strangers on a terminal.
enum TerminalText {
    /// The text with every control character shown instead of obeyed.
    static func safe(_ text: String) -> String { text.withControlsShown }
}
