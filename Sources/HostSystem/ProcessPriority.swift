import Glibc

/// How much of the processors this process asks for.
package enum ProcessPriority {
    /// Lets others go first, a worker above all, from here to the end of the process.
    package static func giveWay() {
        // What it returns may be an error or the new value; without it, the work is done all the same.
        _ = nice(10)
    }
}
