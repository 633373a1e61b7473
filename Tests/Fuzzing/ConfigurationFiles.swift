import AlpacaAPI
import Logging
import TradeWorker
import TradingCore

/// A configuration file: what it sets is what is used, nobody but this machine can reach the worker, keys leave it only
/// encrypted, and no text about it tells a secret.
func checkConfigurationFile(_ bytes: [UInt8]) throws {
    let file: ConfigurationFile
    do {
        file = try ConfigurationFile(path: "/etc/worker.conf", content: bytes)
    } catch {
        try expect(!error.description.isEmpty, "a problem says what it is")
        return
    }
    try expect(file.values.allSatisfy { !$0.value.utf8.contains(0) }, "no value has a NUL, where C would end it")
    if bytes.allSatisfy({ $0 < 0x80 }) {
        let lines = try lineByLine(bytes)
        try expect(lines == file.values, "every line counts: \(lines), not \(file.values)")
    }
    let told = read(file)
    try expect(!told.text.isEmpty, "a problem says what it is")
    if let configuration = told.configuration { try check(configuration, file) }
    if let other = try withOtherSecret(file) {
        try expect(isSameText(read(other).text, told.text), "what is said of a file does not hang on its secret")
    }
}

/// What becomes of a file, and what is said of it.
private func read(_ file: ConfigurationFile) -> (configuration: Configuration?, text: String) {
    do {
        let configuration = try Configuration(flags: [:], environment: ["HOME": "/home/worker"], file: file)
        return (configuration, "\(configuration)")
    } catch {
        return (nil, error.description)
    }
}

/// The same file with another secret in it: of the same length and of the same kinds of characters.
private func withOtherSecret(_ file: ConfigurationFile) throws -> ConfigurationFile? {
    guard let secret = file.values[.secretKey], !secret.isEmpty else { return nil }
    let line = Array("\(Setting.secretKey.rawValue) = ".utf8)
    let other = secret.utf8.map { byte in
        switch byte {
        case UInt8(ascii: "a")..<UInt8(ascii: "z"), UInt8(ascii: "A")..<UInt8(ascii: "Z"),
            UInt8(ascii: "0")..<UInt8(ascii: "9"):
            byte + 1
        default: byte
        }
    }
    let rest = file.values.filter { $0.key != .secretKey }.sorted { $0.key.rawValue < $1.key.rawValue }
        .flatMap { Array("\n\($0.key.rawValue) = \($0.value)".utf8) }
    return try ConfigurationFile(path: file.path, content: line + other + rest)
}

private func check(_ configuration: Configuration, _ file: ConfigurationFile) throws {
    let worker = configuration.worker
    let url = configuration.brokerURL
    for (setting, used) in [
        (Setting.intake, configuration.intake), (.outcomes, configuration.outcomes),
        (.stateDirectory, configuration.stateDirectory), (.partition, worker.partition.text),
        (.onUnknown, worker.onUnknown.rawValue), (.logLevel, configuration.logLevel.rawValue),
        (.logFormat, configuration.logFormat.rawValue),
    ] {
        if let text = file.values[setting] { try expect(isSameText(used, text), "\(setting.rawValue) is used as set") }
    }
    try expect(isSameText(configuration.pullIntake, file.values[.pullIntake]), "a second intake is there if it is set")
    try expect(isSameText(configuration.limits, file.values[.limits]), "limits are there if they are set")
    for (setting, used) in [
        (Setting.brokerConnectTimeout, configuration.brokerConnectTimeoutMilliseconds),
        (.brokerTimeout, configuration.brokerTimeoutMilliseconds), (.queueMax, worker.queueMax),
        (.maxAge, Int(worker.maxAge.count / 1_000_000)), (.settleTime, Int(worker.settleTime.count / 1_000_000)),
    ] {
        try expect(used > 0, "\(setting.rawValue) is greater than zero")
        if let text = file.values[setting] { try expect(Int(text) == used, "\(setting.rawValue) is used as set") }
    }
    try expect(worker.requestsPerMinute.map { $0 > 0 } ?? true, "an allowance is one")
    if let text = file.values[.requestsPerMinute] {
        try expect(Int(text) == worker.requestsPerMinute ?? 0, "requests_per_minute is used as set")
    }
    for endpoint in [configuration.intake, configuration.outcomes, configuration.pullIntake] {
        guard let endpoint, configuration.access.keys == nil else { continue }
        try expect(isOfThisMachine(endpoint), "\(endpoint) is on this machine, since there are no keys")
    }
    let host = url.text.split(separator: "/").last.map(String.init) ?? ""
    if url.isLoopback || !url.text.hasPrefix("https://") {
        try expect(isLoopback(host), "\(url) is on this machine")
    } else {
        try expect(
            !(file.values[.keyID] ?? "").isEmpty && !(file.values[.secretKey] ?? "").isEmpty,
            "the broker is not asked without credentials")
    }
}

/// What the lines of an ASCII file set, read off byte by byte.
private func lineByLine(_ bytes: [UInt8]) throws -> [Setting: String] {
    var values: [Setting: String] = [:]
    for line in bytes.split(whereSeparator: { (0x0A...0x0D).contains($0) }).map(trimmed) where !line.isEmpty {
        if line.first == UInt8(ascii: "#") { continue }
        let name = String(decoding: trimmed(line.prefix { $0 != UInt8(ascii: "=") }), as: UTF8.self)
        guard let setting = Setting(rawValue: name) else { throw BrokenProperty(description: "\(name) is a setting") }
        let value = trimmed(line.drop { $0 != UInt8(ascii: "=") }.dropFirst())
        values[setting] = String(decoding: value, as: UTF8.self)
    }
    return values
}

private func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    while let first = bytes.first, isSpace(first) { bytes.removeFirst() }
    while let last = bytes.last, isSpace(last) { bytes.removeLast() }
    return bytes
}

private func isOfThisMachine(_ endpoint: String) -> Bool {
    if endpoint.hasPrefix("ipc:///") { return true }
    return endpoint.hasPrefix("tcp://") && isLoopback(String(endpoint.dropFirst("tcp://".count)))
}

/// Whether `host[:port]` cannot be anywhere else.
private func isLoopback(_ authority: String) -> Bool {
    if let port = authority.split(separator: "]", maxSplits: 1).dropFirst().first, authority.hasPrefix("[") {
        return authority.hasPrefix("[::1]:") && !port.dropFirst().contains { ":[]".contains($0) }
    }
    if authority == "[::1]" { return true }
    let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
    let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    return parts.count <= 2
        && (parts[0] == "localhost"
            || numbers.count == 4 && numbers[0] == "127"
                && numbers.allSatisfy { UInt8($0) != nil && $0.allSatisfy(\.isNumber) })
}
