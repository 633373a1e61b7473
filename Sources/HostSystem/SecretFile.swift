import Glibc

/// A file that holds a secret, and that nobody else may read.
package enum SecretFile {
    /// Why it is not used. What is in it is not quoted.
    package enum Problem: Error, Equatable, CustomStringConvertible {
        case system(SystemError)
        case isReadableByOthers(path: String)
        case isAnotherUsers(path: String)
        case isNoFile(path: String)
        case tooLarge(path: String, bytesMax: Int)

        package var description: String {
            switch self {
            case .system(let error): "\(error)"
            case .isReadableByOthers(let path): "\(path) holds a secret and others can read it; chmod 600 \(path)"
            case .isAnotherUsers(let path):
                "\(path) holds a secret and belongs to another user, who can change it; chown it to the worker's"
            case .isNoFile(let path): "\(path) is not a file"
            case .tooLarge(let path, let bytesMax):
                "\(path) has more than \(bytesMax) bytes, so it is not what it should be"
            }
        }
    }

    /// Reads it, unless others can read or replace what is in it.
    /// - Parameter groupMayRead: For systemd's credentials, whose access control list shows as the group's permission.
    package static func read(_ path: String, bytesMax: Int, groupMayRead: Bool = false) throws(Problem) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(SystemError("opening \(path)")) }
        defer { close(descriptor) }
        // Of the open file, so that it is what is read that is looked at.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(SystemError("looking at \(path)")) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .isNoFile(path: path) }
        guard status.st_uid == geteuid() || status.st_uid == 0 else { throw .isAnotherUsers(path: path) }
        guard status.st_mode & (groupMayRead ? 0o027 : 0o077) == 0 else { throw .isReadableByOthers(path: path) }
        let content: [UInt8]
        do throws(SystemError) {
            content = try Files.read(descriptor, path, bytesMax: bytesMax + 1)
        } catch {
            throw .system(error)
        }
        guard content.count <= bytesMax else { throw .tooLarge(path: path, bytesMax: bytesMax) }
        return content
    }
}
