import ArgumentParser
import Glibc

/// Whether output is coloured.
enum ColourChoice: String, ExpressibleByArgument, CaseIterable {
    case auto
    case always
    case never

    static let help: ArgumentHelp =
        "auto (on a terminal, unless NO_COLOR is set or TERM is dumb), always or never."
}

/// Paints text for a terminal, or leaves it as it is.
struct Colours {
    enum Paint: Int {
        case bold = 1
        case faint = 2
        case red = 31
        case green = 32
        case yellow = 33
        case cyan = 36
    }

    let isOn: Bool

    static let none = Colours(isOn: false)

    private init(isOn: Bool) {
        self.isOn = isOn
    }

    /// Sources: https://no-color.org, which counts any text but an empty one; and terminfo's `dumb`, which obeys nothing.
    init(_ choice: ColourChoice, on output: StandardOutput) {
        switch choice {
        case .always: isOn = true
        case .never: isOn = false
        case .auto:
            let isUnwanted = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
            isOn = output.obeysCursor && !isUnwanted
        }
    }

    /// The text in this paint, and what follows it as before. The text must be safe for a terminal.
    func paint(_ text: String, _ paint: Paint?) -> String {
        guard isOn, let paint, !text.isEmpty else { return text }
        return "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m"
    }
}
