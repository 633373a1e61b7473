import AlpacaAPI
import Logging
import OrderResolution
import TradeJournal
import TradingCore

/// What the worker keeps of halts beside their files.
struct HaltKeeping {
    /// The record, compared with what is in force.
    var audit: HaltAudit
    /// Up to where the history's file has been taken into the database.
    var historyEnd: Int64
    /// What was last said about a history that cannot be read.
    var problem: String?
    /// The files that halt nothing, as last warned of.
    var strays: [String] = []
    var automatic: AutomaticHalt
    /// The halt of all after which the worker does not halt by itself again before it has ended.
    var standing: Standing?

    enum Standing {
        /// Its file is there: whoever removes it resumes trading.
        case byFile
        /// The worker's own, whose file could not be written: it is in force in memory, and its file is tried again.
        case inMemory(Halt, retryAt: MonotonicTime)
    }
}

/// The halts in force at one moment.
struct HaltsInForce {
    var all: [Halt] = []
    /// Whether they are those that have files. Only then does a halt that is missing among them mean that it was ended.
    var areAsFiles = true
}

/// Halts that are news to the database.
struct HaltNews {
    var page: HaltHistoryPage?
    /// What nobody has recorded.
    var noticed: [HaltEvent] = []

    var needsStoring: Bool { !noticed.isEmpty || page?.entries.contains { $0.event != nil } ?? false }
}

extension Worker {
    // MARK: What is in force

    /// The halt that covers a strategy, if any.
    func halt(covering strategy: StrategyName) -> Halt? {
        if case .inMemory(let halt, _)? = haltKeeping.standing { return halt }
        return halts.halt(covering: strategy)
    }

    /// Every halt in force.
    func haltsInForce() -> HaltsInForce {
        var inForce = HaltsInForce()
        do throws(EdgeFault) {
            inForce.all = try halts.all()
        } catch {
            // A folder of halts that cannot be read halts everything.
            inForce.all = [Halt(unreadable: .all, "the halt files cannot be read: \(error)")]
            inForce.areAsFiles = false
        }
        if case .inMemory(let halt, _)? = haltKeeping.standing {
            inForce.all = [halt] + inForce.all.filter { $0.scope != .all }
            inForce.areAsFiles = false
        }
        return inForce
    }

    // MARK: On record

    static func takeUpHalts(
        _ settings: WorkerSettings, _ journal: TradeJournal, _ halts: any HaltSwitch, unknown: [OpenExecution],
        log: Logger
    ) throws(JournalFault) -> HaltKeeping {
        let audit = HaltAudit(try journal.lastHaltEvents())
        let historyEnd = try journal.haltHistoryEnd()
        // Trading may have been resumed while no worker ran; that is stored at the first heartbeat.
        var latest = audit
        do throws(EdgeFault) {
            latest.note(
                try HaltHistoryPage.events(from: historyEnd) { (position) throws(EdgeFault) in
                    try halts.recorded(from: position)
                })
        } catch {
            log.warning("the history of halts cannot be read: \(error)")
        }
        let resumedAt = latest.resumedAt(.all)
        let known = unknown.count { open in resumedAt.map { open.execution.submittedAt <= $0 } ?? false }
        return HaltKeeping(
            audit: audit, historyEnd: historyEnd,
            automatic: AutomaticHalt(settings.automaticHalt, knownUnknown: known))
    }

    /// Looks whether anybody has halted or resumed since the heartbeat before.
    func lookAtHalts(_ inForce: HaltsInForce, at now: ClockReading) -> HaltNews {
        warnOfStrays()
        if inForce.areAsFiles, case nil = haltKeeping.standing, inForce.all.contains(where: { $0.scope == .all }) {
            // Somebody's, whose end resets the automatic one's counts as that of its own does.
            haltKeeping.standing = .byFile
        }
        var news = HaltNews()
        do throws(EdgeFault) {
            news.page = try halts.recorded(from: haltKeeping.historyEnd)
            haltKeeping.problem = nil
        } catch {
            if haltKeeping.problem != error.description {
                log.warning("the history of halts cannot be read: \(error)")
            }
            haltKeeping.problem = error.description
        }
        // Only once all that was recorded is known can something be missing from it.
        if news.page == nil, inForce.areAsFiles {
            news.noticed = haltKeeping.audit.look(at: inForce.all, now: now.moment)
        }
        return news
    }

    /// Says once of files that halt nothing that somebody may have meant them to.
    private func warnOfStrays() {
        // Where they cannot be listed, all is halted, and that is told.
        guard let strays = try? halts.namesOfNoHalt(), strays != haltKeeping.strays else { return }
        haltKeeping.strays = strays
        guard let first = strays.first else { return }
        log.warning(
            """
            the folder of halts has \(strays.count) files that halt nothing, \(first.debugDescription) the first: a halt is \
            called `all` or `strategy-NAME`; see `trade-executor halt`
            """)
    }

    /// Stores them.
    func keep(
        _ news: HaltNews, in transaction: borrowing JournalTransaction, at now: ClockReading
    ) throws(JournalFault) {
        for entry in news.page?.entries ?? [] {
            if let event = entry.event { try transaction.keep(event, historyEnd: entry.end, at: now.moment) }
        }
        for event in news.noticed { try transaction.keep(event, historyEnd: nil, at: now.moment) }
    }

    /// The memory follows the database.
    func remember(_ news: HaltNews) {
        haltKeeping.audit.note(news.noticed)
        guard let page = news.page else { return }
        haltKeeping.audit.note(page.entries.compactMap(\.event))
        haltKeeping.historyEnd = page.end
        let broken = page.entries.count { $0.event == nil }
        if broken > 0 { log.warning("lines of the history of halts that make no sense are passed over: \(broken)") }
    }

    // MARK: Of itself

    /// Takes note of what an attempt has come to.
    func countBrokerError(_ result: HTTPExchangeResult, of attempt: OpenExecution) {
        guard settings.automaticHalt.errorsInARow != nil else { return }
        haltKeeping.automatic.note(
            AttemptResult(result, clientOrderID: attempt.execution.clientOrderID), httpStatusCode: result.statusCode)
    }

    /// Halts all trading where the settings say so, before anything more is sent.
    ///
    /// An attempt that was lost just now counts once its first look-up has not found it: until then nothing is sent anyway.
    /// - Parameter seen: What a look-up has shown in this turn.
    func haltByItself(_ seen: Sighting?, at now: ClockReading) {
        guard !settings.automaticHalt.isOff else { return }
        var unknown = resolver.orders.unknownCount
        if resolver.lookUpFirst != nil { unknown -= 1 }
        if seen?.settlesUnknown ?? false { unknown -= 1 }
        switch haltKeeping.standing {
        case .byFile:
            // Where it cannot be looked at, it stands.
            guard let isInForce = try? halts.isInForce(.all), !isInForce else { return }
            haltKeeping.standing = nil
            haltKeeping.automatic.resume(unknown: unknown)
            log.notice(
                "trading is resumed; broker errors count from none, and \(unknown) unknown attempts are known of")
        case .inMemory(let halt, let retryAt):
            if now.monotonic >= retryAt { write(halt, at: now) }
        case nil:
            guard let reason = haltKeeping.automatic.reason(unknown: unknown) else { return }
            if let isInForce = try? halts.isInForce(.all), isInForce {
                haltKeeping.standing = .byFile
                return
            }
            log.error("all trading is halted: \(reason); `trade-executor resume` ends it")
            write(
                Halt(.all, hold: settings.haltHolds, reason: reason, by: "trade-executor", at: now.moment), at: now)
        }
    }

    private func write(_ halt: Halt, at now: ClockReading) {
        do throws(EdgeFault) {
            // Somebody may have halted all meanwhile, which is as good.
            let isHalted = try halts.isInForce(.all)
            if !isHalted { try halts.set(halt) }
            haltKeeping.standing = .byFile
            if isHalted { return }
        } catch {
            if haltKeeping.standing == nil {
                log.error("the halt stands in memory, and its file is tried again: \(error)")
            }
            haltKeeping.standing = .inMemory(halt, retryAt: now.monotonic + .seconds(1))
            return
        }
        do throws(EdgeFault) {
            try halts.record(HaltEvent(halt, at: now.moment))
        } catch {
            // It is noticed like one that was made by hand.
            log.warning("the halt could not be added to the history of halts: \(error)")
        }
    }
}
