/* SQLite calls that GRDB's module leaves out. */
#include <sqlite3.h>

/* sqlite3_config is variadic, which Swift does not import. */
static inline int csqlite_keep_no_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
