import StrictJSON

/// Reads the body of an intake message: the one place where bytes of strangers become a request, or a refusal.
package enum RequestFrame {
    /// The largest body, in bytes.
    package static let bytesMax = 65_536
    /// How deep a body may nest.
    package static let depthMax = 8

    package static func read(_ bytes: UnsafeRawBufferPointer) -> Result<Request, RefusedFrame> {
        guard bytes.count <= bytesMax else {
            return .failure(
                RefusedFrame(Refusal(.tooLarge, "the body is too long; at most \(bytesMax) bytes are taken")))
        }
        var members = FrameMembers()
        do {
            var reader = try JSONReader(bytes, depthLimit: depthMax, refusesDuplicateKeys: true)
            try members.read(from: &reader)
        } catch {
            return .failure(members.refused(Refusal(.badJSON, "the body must be one JSON object: \(error)")))
        }
        do throws(Refusal) {
            return .success(try members.request())
        } catch {
            return .failure(members.refused(error))
        }
    }

    /// The same for bytes held in an array.
    package static func read(_ bytes: [UInt8]) -> Result<Request, RefusedFrame> {
        bytes.withUnsafeBytes { read($0) }
    }
}
