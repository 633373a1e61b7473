/// Packs and unpacks files with the program `gzip`.
package enum Gzip {
    /// Why a file was not packed or unpacked.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Packs a file. The same content makes the same bytes.
    package static func pack(_ source: String, into target: UnfinishedFile) throws {
        guard try FileFilter.run(["gzip", "--no-name", "--stdout"], from: source, to: target.descriptor) else {
            throw Failure(description: "\(source) cannot be packed: is the disk full?")
        }
    }

    /// Unpacks a file, and checks what it holds against its checksum.
    package static func unpack(_ source: String, into target: UnfinishedFile) throws {
        guard try FileFilter.run(["gzip", "--decompress", "--stdout"], from: source, to: target.descriptor) else {
            throw Failure(
                description: "\(source) cannot be unpacked: it is no whole gzip file, or the disk is full")
        }
    }
}
