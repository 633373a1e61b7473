/// Where `backup`, `restore` and `archive` can die and it makes a difference. Whatever is there then is the old state or the new,
/// and the same command can be run again.
package enum CopyPoint: String, CaseIterable, Sendable {
    /// The pages are in a file under a temporary name.
    case backupCopied = "backup_copied"
    /// What was copied has been checked, and is on disk.
    case backupSynced = "backup_synced"
    /// The copy has its name.
    case backupNamed = "backup_named"

    /// The copy is in the state directory, under a temporary name.
    case restoreCopied = "restore_copied"
    /// It is checked, up to date, and a history of its own.
    case restorePrepared = "restore_prepared"
    /// Trading is halted.
    case restoreHalted = "restore_halted"
    /// What is to be archived is in a database of its own, under a temporary name.
    case archiveBuilt = "archive_built"
    /// It is packed, on disk, unpacked again and checked.
    case archiveChecked = "archive_checked"
    /// The archive has its name. The worker's database still holds all.
    case archiveNamed = "archive_named"
    /// The next database is whole, and checked row by row with the archive against the one in place.
    case archiveNextChecked = "archive_next_checked"
    /// What was archived has left the directory.
    case formerRemoved = "former_removed"

    /// The next database is on disk under its own name: from here on it takes its place, whoever comes next.
    case nextNamed = "next_named"
    /// The former database has left its place; its log may have not.
    case formerMoved = "former_moved"
    /// The next database is in its place.
    case nextInPlace = "next_in_place"
}
