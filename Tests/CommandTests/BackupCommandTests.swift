import Foundation
import HostSystem
import TestKit
import Testing

@Suite("Copies, as commands", .timeLimit(.minutes(20)))
struct BackupCommandTests {
    @Test(
        "have no name that the database or its exchange has",
        arguments: ["-wal", "-shm", "-journal", ".next-1", ".before-1"])
    func reservedNames(_ suffix: String) throws {
        let state = try StateOnDisk.withTrades()
        let path = state.path + "/trades.db" + suffix
        let before = try Files.names(in: state.path)
        let run = try state.run("backup", "--to", path, "--force")
        #expect(run.exitCode == 1)
        #expect(run.errorLines.count == 1)
        #expect(run.errors.contains("names that begin with trades.db are the database's own"))
        #expect(try Files.names(in: state.path) == before)
        #expect(try state.run("show", "mean-rev:d-1").exitCode == 0)
        // Elsewhere a copy may be called so, and beside it otherwise.
        let elsewhere = try TemporaryDirectory()
        #expect(try state.run("backup", "--to", elsewhere.path + "/trades.db" + suffix).exitCode == 0)
        #expect(try state.run("backup", "--to", state.path + "/copy.db").exitCode == 0)
    }

    @Test("take the place of files only, and are read from files only")
    func pipes() throws {
        let state = try StateOnDisk.withTrades()
        let pipe = state.path + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        for arguments in [
            ["backup", "--to", pipe, "--force"], ["executions", "--archive", pipe],
            ["restore", pipe, "--move-aside"],
        ] {
            let run = try CommandRun(arguments + ["--state-dir", state.path])
            #expect(run.exitCode == 1, "\(arguments)")
            #expect(run.errors.contains("\(pipe) is not a file"), "\(arguments)")
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: pipe)
        #expect(attributes[.type] as? FileAttributeType != .typeRegular)
    }

    @Test("say that the directory for them is not there")
    func missingDirectory() throws {
        let state = try StateOnDisk.withTrades()
        let run = try state.run("backup", "--to", state.path + "/none/copy.db")
        #expect(run.exitCode == 1)
        #expect(run.errors.contains("make the directory first"))
    }
}
