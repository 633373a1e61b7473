package import AlpacaAPI
import CCurl

/// A libcurl call that failed in a way that is no answer to a request, such as running out of memory.
package struct CurlError: Error, CustomStringConvertible {
    package let description: String
}

/// How to reach the broker.
package struct BrokerAccess {
    package var url: BrokerURL
    package var credentials: Credentials
    package var connectTimeoutMilliseconds: Int
    /// From the start of a request to the last byte of its answer.
    package var requestTimeoutMilliseconds: Int

    package init(
        url: BrokerURL, credentials: Credentials, connectTimeoutMilliseconds: Int, requestTimeoutMilliseconds: Int
    ) {
        self.url = url
        self.credentials = credentials
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.requestTimeoutMilliseconds = requestTimeoutMilliseconds
    }
}

/// All HTTP of the worker, on the caller's thread: the lines that were opened on it, and the one wait of the main loop.
package final class HTTPTransport {
    private let access: BrokerAccess
    private let multi: OpaquePointer
    private var exchanges: [HTTPExchange] = []

    package init(_ access: BrokerAccess) throws(CurlError) {
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK, let multi = curl_multi_init() else {
            throw CurlError(description: "libcurl could not be started")
        }
        self.access = access
        self.multi = OpaquePointer(multi)
    }

    deinit {
        for exchange in exchanges { exchange.close() }
        curl_multi_cleanup(UnsafeMutableRawPointer(multi))
    }

    /// Opens a line on which orders are placed: the only way to a POST. Who only asks never opens one.
    package func openPlacementLine() throws(CurlError) -> PlacementLine {
        PlacementLine(try open(.post))
    }

    /// Opens a line on which questions are asked. It cannot place anything.
    package func openLookUpLine() throws(CurlError) -> LookUpLine {
        LookUpLine(try open(.get))
    }

    private func open(_ method: HTTPExchange.Method) throws(CurlError) -> HTTPExchange {
        let exchange = try HTTPExchange(method, access, multi: multi)
        exchanges.append(exchange)
        return exchange
    }

    /// Moves all transfers on as far as they go without waiting. What has ended can then be taken from its line.
    package func perform() throws(CurlError) {
        guard exchanges.contains(where: \.isUnderWay) else { return }
        var running: Int32 = 0
        let code = curl_multi_perform(UnsafeMutableRawPointer(multi), &running)
        guard code == CURLM_OK else { throw CurlError(description: "curl_multi_perform: \(code.text)") }
        takeEnded()
    }

    /// Hands what has ended to its line.
    /// - Returns: Whether anything has.
    @discardableResult
    private func takeEnded() -> Bool {
        var hasEnded = false
        var left: Int32 = 0
        while let message = curl_multi_info_read(UnsafeMutableRawPointer(multi), &left) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            let result = ccurl_message_result(message)
            for exchange in exchanges where exchange.isHandle(message.pointee.easy_handle) { exchange.finish(result) }
            hasEnded = true
        }
        return hasEnded
    }

    /// Sleeps until a transfer can go on, one of `descriptors` is readable, or the time is up.
    /// - Returns: The descriptors that are readable.
    @discardableResult
    package func wait(for descriptors: [Int32], milliseconds: Int32) throws(CurlError) -> [Int32] {
        // A transfer may have ended while another was begun, and libcurl would not wake up for it any more.
        let milliseconds = takeEnded() ? 0 : milliseconds
        var extra = descriptors.map { curl_waitfd(fd: $0, events: Int16(CURL_WAIT_POLLIN), revents: 0) }
        var count: Int32 = 0
        let code = curl_multi_poll(
            UnsafeMutableRawPointer(multi), &extra, UInt32(extra.count), milliseconds, &count)
        guard code == CURLM_OK else { throw CurlError(description: "curl_multi_poll: \(code.text)") }
        return extra.filter { $0.revents != 0 }.map(\.fd)
    }
}

/// Places orders: one POST at a time, each sent once.
package final class PlacementLine {
    let exchange: HTTPExchange

    init(_ exchange: HTTPExchange) { self.exchange = exchange }

    package func start(path: String, body: [UInt8]) throws(CurlError) {
        try exchange.start(path: path, body: body)
    }

    /// What the POST came to, once it has ended.
    package func takeResult() -> HTTPExchangeResult? { exchange.takeResult() }
}

/// Asks questions: one GET at a time.
package final class LookUpLine {
    let exchange: HTTPExchange

    init(_ exchange: HTTPExchange) { self.exchange = exchange }

    package func start(path: String) throws(CurlError) {
        try exchange.start(path: path, body: [])
    }

    package func takeResult() -> HTTPExchangeResult? { exchange.takeResult() }
}

extension CURLMcode {
    var text: String { String(cString: curl_multi_strerror(self)) }
}
