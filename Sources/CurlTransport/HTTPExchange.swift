import AlpacaAPI
import CCurl

/// One easy handle, used for one request after the other over connections that are kept open.
///
/// libcurl repeats a request by itself when a reused connection dies before an answer, POST or not, unless it cannot
/// rewind the body. So the body comes from a read callback and there is no seek callback: libcurl then gives up with
/// `CURLE_SEND_FAIL_REWIND`, and the order is looked up instead of sent again.
final class HTTPExchange {
    enum Method {
        case get
        case post
    }

    private(set) var isUnderWay = false
    private let method: Method
    private let baseURL: String
    private let credentials: Credentials
    private var lastPath: String?
    private let easy: UnsafeMutableRawPointer
    private let multi: OpaquePointer
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var result: HTTPExchangeResult?

    fileprivate var requestBody: [UInt8] = []
    fileprivate var requestBodySent = 0
    fileprivate var requestBodyWasRead = false
    fileprivate var responseBody: [UInt8] = []
    fileprivate var responseHeaders = BrokerHeaders()

    /// The largest answer; a listing of 500 orders with four legs each stays below.
    fileprivate static let responseMax = 16 << 20

    init(_ method: Method, _ access: BrokerAccess, multi: OpaquePointer) throws(CurlError) {
        guard let easy = curl_easy_init() else { throw CurlError(description: "libcurl could not make a handle") }
        self.method = method
        self.baseURL = access.url.text
        credentials = access.credentials
        self.easy = easy
        self.multi = multi
        for line in access.credentials.headerLines + ["Accept: application/json", "Expect:"] {
            headerList = curl_slist_append(headerList, line)
        }
        if method == .post { headerList = curl_slist_append(headerList, "Content-Type: application/json") }

        let user = Unmanaged.passUnretained(self).toOpaque()
        try check(ccurl_set_list(easy, CURLOPT_HTTPHEADER, headerList), "headers")
        try check(ccurl_set_transfer(easy, CURLOPT_WRITEFUNCTION, receiveBody), "write callback")
        try check(ccurl_set_pointer(easy, CURLOPT_WRITEDATA, user), "write callback")
        try check(ccurl_set_transfer(easy, CURLOPT_HEADERFUNCTION, receiveHeader), "header callback")
        try check(ccurl_set_pointer(easy, CURLOPT_HEADERDATA, user), "header callback")
        if method == .post {
            try set(CURLOPT_POST, 1)
            try check(ccurl_set_transfer(easy, CURLOPT_READFUNCTION, sendBody), "read callback")
            try check(ccurl_set_pointer(easy, CURLOPT_READDATA, user), "read callback")
        }
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, access.connectTimeoutMilliseconds)
        try set(CURLOPT_TIMEOUT_MS, access.requestTimeoutMilliseconds)
        try check(ccurl_set_string(easy, CURLOPT_USERAGENT, "trade-executor"), "user agent")
        try guardCredentials(access)
    }

    /// Whom the credentials go to: whoever proves to be the host of the base URL, and nobody else. Most of these are
    /// libcurl's defaults; none may come to depend on how a machine's libcurl was built.
    private func guardCredentials(_ access: BrokerAccess) throws(CurlError) {
        try check(ccurl_set_string(easy, CURLOPT_PROTOCOLS_STR, access.url.isEncrypted ? "https" : "http"), "protocols")
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try set(CURLOPT_FOLLOWLOCATION, 0)
        // Neither somebody's ~/.netrc nor a proxy's 407 decides what is sent along.
        try set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        // A proxy of the environment carries encrypted bytes to the broker, and must not be told the headers in its CONNECT.
        try set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
        try set(CURLOPT_PROXY_SSL_VERIFYPEER, 1)
        try set(CURLOPT_PROXY_SSL_VERIFYHOST, 2)
        // On this machine nothing is in between; without encryption, a proxy would read it all.
        if access.url.isLoopback { try check(ccurl_set_string(easy, CURLOPT_PROXY, ""), "no proxy") }
    }

    private func set(_ option: CURLoption, _ value: Int) throws(CurlError) {
        try check(ccurl_set_long(easy, option, value), "option \(option.rawValue)")
    }

    private func check(_ code: CURLcode, _ what: String) throws(CurlError) {
        guard code == CURLE_OK else { throw CurlError(description: "libcurl: \(what): \(code.text)") }
    }

    func isHandle(_ handle: UnsafeMutableRawPointer?) -> Bool { handle == easy }

    /// Begins a request. Over a connection that is open, all of it leaves before this returns.
    func start(path: String, body: [UInt8]) throws(CurlError) {
        precondition(!isUnderWay && result == nil, "one request at a time, and its result is taken before the next")
        requestBody = body
        requestBodySent = 0
        requestBodyWasRead = false
        responseBody.removeAll(keepingCapacity: true)
        responseHeaders = BrokerHeaders()
        if path != lastPath {
            try check(ccurl_set_string(easy, CURLOPT_URL, baseURL + path), "URL")
            lastPath = path
        }
        if method == .post {
            try check(ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, body.count), "body size")
        }
        let code = curl_multi_add_handle(UnsafeMutableRawPointer(multi), easy)
        guard code == CURLM_OK else { throw CurlError(description: "curl_multi_add_handle: \(code.text)") }
        isUnderWay = true
        var running: Int32 = 0
        let performed = curl_multi_perform(UnsafeMutableRawPointer(multi), &running)
        guard performed == CURLM_OK else { throw CurlError(description: "curl_multi_perform: \(performed.text)") }
    }

    /// libcurl is done with the request.
    func finish(_ code: CURLcode) {
        curl_multi_remove_handle(UnsafeMutableRawPointer(multi), easy)
        isUnderWay = false
        let status = information(CURLINFO_RESPONSE_CODE)
        // Here, before anybody has seen it: an answer that quotes the request must not carry the secret on.
        _ = credentials.redact(&responseBody, mayBeCut: true)
        if var requestID = responseHeaders.requestID.map({ Array($0.utf8) }),
            credentials.redact(&requestID, mayBeCut: true)
        {
            responseHeaders.requestID = String(decoding: requestID, as: UTF8.self)
        }
        let answer = HTTPAnswer(statusCode: status, body: responseBody, headers: responseHeaders)
        if code == CURLE_OK {
            result = .answered(answer)
        } else if !requestBodyWasRead, information(CURLINFO_REQUEST_SIZE) == 0 {
            result = .notSent(reason: code.text)
        } else {
            result = .lost(reason: code.text, partial: status > 0 ? answer : nil)
        }
    }

    func takeResult() -> HTTPExchangeResult? {
        defer { result = nil }
        return result
    }

    /// Ends what is under way and frees the handle. Nothing may be called afterwards.
    func close() {
        if isUnderWay { curl_multi_remove_handle(UnsafeMutableRawPointer(multi), easy) }
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
    }

    private func information(_ info: CURLINFO) -> Int {
        var value = 0
        let code = ccurl_get_long(easy, info, &value)
        precondition(code == CURLE_OK, "libcurl knows this number of every request")
        return value
    }
}

extension CURLcode {
    fileprivate var text: String { String(cString: curl_easy_strerror(self)) }
}

private func exchange(_ user: UnsafeMutableRawPointer?) -> HTTPExchange {
    guard let user else { preconditionFailure("every callback is set together with its exchange") }
    return Unmanaged<HTTPExchange>.fromOpaque(user).takeUnretainedValue()
}

/// libcurl asks for the next bytes of the request's body.
private func sendBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ user: UnsafeMutableRawPointer?
) -> Int {
    let exchange = exchange(user)
    exchange.requestBodyWasRead = true
    let start = exchange.requestBodySent
    let length = min(size * count, exchange.requestBody.count - start)
    exchange.requestBody.withUnsafeBytes { body in
        UnsafeMutableRawBufferPointer(start: bytes, count: length)
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: body[start..<start + length]))
    }
    exchange.requestBodySent += length
    return length
}

/// libcurl hands over bytes of the answer's body. Returning less than came makes it give up.
private func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ user: UnsafeMutableRawPointer?
) -> Int {
    let exchange = exchange(user)
    let length = size * count
    guard exchange.responseBody.count + length <= HTTPExchange.responseMax else { return 0 }
    exchange.responseBody.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: length))
    return length
}

/// libcurl hands over one header line. Names come in any letter case.
private func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ user: UnsafeMutableRawPointer?
) -> Int {
    let length = size * count
    let line = UnsafeRawBufferPointer(start: bytes, count: length)
    // All the headers that are kept begin with X; the others are passed over at the first letter.
    guard let first = line.first, first | 0x20 == UInt8(ascii: "x") else { return length }
    let exchange = exchange(user)
    if let value = line.value(ofHeader: "x-request-id") {
        exchange.responseHeaders.requestID = value
    } else if let value = line.value(ofHeader: "x-ratelimit-limit") {
        exchange.responseHeaders.rateLimit = Int64(value)
    } else if let value = line.value(ofHeader: "x-ratelimit-remaining") {
        exchange.responseHeaders.rateLimitRemaining = Int64(value)
    } else if let value = line.value(ofHeader: "x-ratelimit-reset") {
        exchange.responseHeaders.rateLimitReset = Int64(value)
    }
    return length
}

extension UnsafeRawBufferPointer {
    /// The value of a header line; nil where it is not this header.
    /// - Parameter name: In small letters.
    fileprivate func value(ofHeader name: StaticString) -> String? {
        let nameCount = name.utf8CodeUnitCount
        guard count > nameCount, self[nameCount] == UInt8(ascii: ":") else { return nil }
        for index in 0..<nameCount {
            // Setting the bit makes small letters of large ones, and leaves the dash as it is.
            guard self[index] | 0x20 == name.utf8Start[index] else { return nil }
        }
        let value = self[(nameCount + 1)...].drop { $0 == 0x20 }.prefix { $0 != 0x0D && $0 != 0x0A }
        return String(decoding: value, as: UTF8.self)
    }
}
