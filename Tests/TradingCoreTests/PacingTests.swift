import Testing
import TradingCore

@Suite("Requests to a broker that allows so many a minute")
struct PacingTests {
    private func time(_ seconds: Int64) -> MonotonicTime { MonotonicTime(microseconds: seconds * 1_000_000) }

    private func reading(_ seconds: Int64) -> ClockReading {
        ClockReading(
            moment: Timestamp(nanoseconds: (1_000_000 + seconds) * 1_000_000_000), monotonic: time(seconds), bootID: "b"
        )
    }

    @Test("wait their turn once the minute's allowance is used up, and go on as the oldest leave the minute")
    func waits() {
        var pacing = RequestPacing(perMinute: 3)
        for second in [0, 10, 20] {
            #expect(pacing.nextAllowance(after: time(Int64(second))) == nil)
            pacing.begin(at: time(Int64(second)))
        }
        #expect(pacing.allowance(at: time(30)) == 0)
        #expect(pacing.nextAllowance(after: time(30)) == time(60))
        #expect(pacing.allowance(at: time(60)) == 1)
        #expect(pacing.allowance(at: time(75)) == 2)
    }

    @Test("are never more than allowed within any minute")
    func neverMore() {
        var pacing = RequestPacing(perMinute: 200)
        var begun: [Int64] = []
        for tenth in 0..<3000 {
            let now = MonotonicTime(microseconds: Int64(tenth) * 100_000)
            while pacing.allowance(at: now) > 0 {
                pacing.begin(at: now)
                begun.append(now.microseconds)
            }
        }
        for start in begun {
            #expect(begun.filter { (start..<start + 60_000_000).contains($0) }.count <= 200)
        }
    }

    @Test("stop when the broker says that nothing is left, until its own window begins anew")
    func obeysHeaders() {
        var pacing = RequestPacing(perMinute: 200)
        pacing.note(remaining: 0, resetSeconds: 1_000_020, wasRefused: false, at: reading(0))
        #expect(pacing.allowance(at: time(19)) == 0)
        #expect(pacing.nextAllowance(after: time(19)) == time(20))
        #expect(pacing.allowance(at: time(20)) == 200)
    }

    @Test("stop after a 429 even without headers, for no longer than a minute whatever the broker's clock says")
    func refused() {
        var pacing = RequestPacing(perMinute: 200)
        pacing.note(remaining: nil, resetSeconds: nil, wasRefused: true, at: reading(0))
        #expect(pacing.nextAllowance(after: time(1)) == time(60))
        pacing.note(remaining: 0, resetSeconds: .max, wasRefused: false, at: reading(100))
        #expect(pacing.nextAllowance(after: time(101)) == time(160))
        pacing.note(remaining: 0, resetSeconds: .min, wasRefused: false, at: reading(200))
        #expect(pacing.allowance(at: time(262)) == 200)
    }

    @Test("are not held back where there is no limit")
    func noLimit() {
        var pacing = RequestPacing(perMinute: nil)
        for _ in 0..<1000 { pacing.begin(at: time(0)) }
        pacing.note(remaining: 0, resetSeconds: nil, wasRefused: true, at: reading(0))
        #expect(pacing.allowance(at: time(0)) == .max)
    }
}

@Suite("An order that is followed")
struct FollowScheduleTests {
    @Test("is looked at soon after a change, and more slowly the longer nothing changes, up to once a minute")
    func slowsDown() {
        var now = MonotonicTime(microseconds: 0)
        var schedule = FollowSchedule(changedAt: now)
        var intervals: [Microseconds] = []
        for _ in 0..<40 {
            intervals.append(schedule.due - now)
            now = schedule.due
            schedule.looked(at: now, changed: false)
        }
        #expect(intervals.first == .milliseconds(100))
        #expect(zip(intervals, intervals.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(intervals.last == .seconds(60))
        schedule.looked(at: now, changed: true)
        #expect(schedule.due - now == .milliseconds(100))
    }
}

@Suite("An attempt whose answer was lost")
struct UnknownCaseTests {
    private func time(_ seconds: Int64) -> MonotonicTime { MonotonicTime(microseconds: seconds * 1_000_000) }

    @Test("is asked for at once")
    func atOnce() {
        #expect(UnknownCase(lostAt: time(5), settleTime: .seconds(30), at: time(6)).due == time(6))
    }

    @Test("is absent only when it was not found three times, the last time after the settle time")
    func absent() {
        var unknown = UnknownCase(lostAt: time(0), settleTime: .seconds(30), at: time(0))
        for second in [0, 1, 5, 29] {
            #expect(unknown.wasNotFound(askedAt: time(Int64(second)), at: time(Int64(second))) == .stillUnknown)
        }
        #expect(unknown.wasNotFound(askedAt: time(30), at: time(30)) == .absent)

        var few = UnknownCase(lostAt: time(0), settleTime: .seconds(30), at: time(0))
        #expect(few.wasNotFound(askedAt: time(40), at: time(40)) == .stillUnknown)
        #expect(few.wasNotFound(askedAt: time(50), at: time(50)) == .stillUnknown)
        #expect(few.wasNotFound(askedAt: time(60), at: time(60)) == .absent)
    }

    @Test("counts the settle time from the loss, however often the worker is started anew")
    func afterRestarts() {
        var unknown = UnknownCase(lostAt: time(0), settleTime: .seconds(30), at: time(40))
        #expect(unknown.wasNotFound(askedAt: time(40), at: time(40)) == .stillUnknown)
        #expect(unknown.wasNotFound(askedAt: time(41), at: time(41)) == .stillUnknown)
        #expect(unknown.wasNotFound(askedAt: time(43), at: time(43)) == .absent)
    }

    @Test("is asked for at once when somebody wants to know")
    func hurry() {
        var unknown = UnknownCase(lostAt: time(0), settleTime: .seconds(30), at: time(0))
        for _ in 0..<12 { unknown.gotNoAnswer(at: unknown.due) }
        #expect(unknown.due > time(400))
        unknown.hurry(at: time(390))
        #expect(unknown.due == time(390))
    }

    @Test("is not asked for again within ten seconds, however often somebody wants to know")
    func hurriedAgainAndAgain() {
        var unknown = UnknownCase(lostAt: time(0), settleTime: .seconds(30), at: time(0))
        for _ in 0..<12 { unknown.gotNoAnswer(at: unknown.due) }
        unknown.hurry(at: time(1000))
        unknown.gotNoAnswer(at: time(1000))
        for second in 1001...1009 { unknown.hurry(at: time(Int64(second))) }
        #expect(unknown.due == time(1010))
        unknown.hurry(at: time(1020))
        #expect(unknown.due == time(1010))
    }

    @Test(
        "is not absent by an answer to a question that was asked before the settle time was over, however late it comes"
    )
    func lateAnswer() {
        var unknown = UnknownCase(lostAt: time(0), settleTime: .seconds(30), at: time(0))
        for second: Int64 in [0, 1] { _ = unknown.wasNotFound(askedAt: time(second), at: time(second)) }
        #expect(unknown.wasNotFound(askedAt: time(3), at: time(32)) == .stillUnknown)
        #expect(unknown.wasNotFound(askedAt: time(36), at: time(36)) == .absent)
    }

    @Test("is not proven absent by look-ups that fail")
    func failedLookUps() {
        var unknown = UnknownCase(lostAt: time(0), settleTime: .seconds(30), at: time(0))
        for second in stride(from: 0, to: 1000, by: 10) { unknown.gotNoAnswer(at: time(Int64(second))) }
        #expect(unknown.wasNotFound(askedAt: time(1000), at: time(1000)) == .stillUnknown)
        #expect(unknown.wasNotFound(askedAt: time(1001), at: time(1001)) == .stillUnknown)
        #expect(unknown.wasNotFound(askedAt: time(1002), at: time(1002)) == .absent)
    }

    @Test("is asked for more slowly with time, once right when the settle time has passed, and never given up")
    func schedule() {
        var unknown = UnknownCase(lostAt: time(0), settleTime: .seconds(30), at: time(0))
        var asked: [Int64] = []
        for _ in 0..<12 {
            asked.append(unknown.due.microseconds / 1_000_000)
            unknown.gotNoAnswer(at: unknown.due)
        }
        #expect(asked == [0, 1, 3, 7, 15, 30, 62, 122, 182, 242, 302, 362])
    }
}

@Suite("A deadline")
struct DeadlineTests {
    private func reading(_ calendar: Int64, _ monotonic: Int64, boot: String = "b1") -> ClockReading {
        ClockReading(
            moment: Timestamp(nanoseconds: calendar * 1_000_000_000),
            monotonic: MonotonicTime(microseconds: monotonic * 1_000_000), bootID: boot)
    }

    @Test(
        "passes after its time, whatever is done to the calendar meanwhile",
        arguments: [
            RequestedDeadline.after(.seconds(100)), .at(Timestamp(nanoseconds: 1_100_000_000_000)),
        ])
    func monotonic(_ requested: RequestedDeadline) {
        let deadline = Deadline(of: requested, maxAge: .seconds(300), acceptedAt: reading(1000, 50))
        for calendar in [Int64(0), 1000, 99_999] {
            #expect(!deadline.hasPassed(at: reading(calendar, 149)))
            #expect(deadline.hasPassed(at: reading(calendar, 150)))
        }
    }

    @Test("is the worker's max_age where the author names none")
    func maxAge() {
        let deadline = Deadline(of: nil, maxAge: .seconds(300), acceptedAt: reading(1000, 50))
        #expect(!deadline.hasPassed(at: reading(0, 349)))
        #expect(deadline.hasPassed(at: reading(0, 350)))
    }

    @Test("goes by the calendar after the machine was started anew")
    func reboot() {
        let deadline = Deadline(of: nil, maxAge: .seconds(300), acceptedAt: reading(1000, 5000))
        #expect(!deadline.hasPassed(at: reading(1299, 9_999_999, boot: "b2")))
        #expect(deadline.hasPassed(at: reading(1300, 1, boot: "b2")))
    }

    @Test("of any moment that can be written is harmless")
    func extremes() throws {
        for text in ["1700-01-01T00:00:00Z", "2200-12-31T23:59:59Z"] {
            let deadline = Deadline(
                of: .at(try #require(Timestamp(text))), maxAge: .seconds(1), acceptedAt: reading(1_795_000_000, 10))
            #expect(deadline.hasPassed(at: reading(1_795_000_000, 10)) == (text < "2000"))
        }
    }
}

@Suite("Refused messages in a flood")
struct RefusalKeepingTests {
    private func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(microseconds: milliseconds * 1000) }

    @Test("are kept a thousand at once, and then a hundred a minute")
    func keepsSome() {
        var keeping = RefusalKeeping()
        #expect((0..<5000).count { _ in keeping.note(at: time(0)) } == 1000)
        #expect(!keeping.mayKeep(at: time(599)))
        #expect(keeping.mayKeep(at: time(600)))
        let steady = (1...72_000).count { step in keeping.note(at: time(Int64(step) * 50)) }
        #expect(steady == 6000)
    }

    @Test("are all kept again after a quiet time, however long it was")
    func recovers() {
        var keeping = RefusalKeeping()
        for _ in 0..<2000 { _ = keeping.note(at: time(0)) }
        #expect((0..<5000).count { _ in keeping.note(at: time(86_400_000)) } == 1000)
    }

    @Test("are told of once a minute at most, with how many were not kept")
    func reports() {
        var keeping = RefusalKeeping()
        #expect(keeping.takeReport(at: time(0)) == nil)
        for _ in 0..<1010 { _ = keeping.note(at: time(0)) }
        #expect(keeping.takeReport(at: time(1000)) == 10)
        #expect(keeping.takeReport(at: time(2000)) == nil)
        for _ in 0..<1000 { _ = keeping.note(at: time(2000)) }
        #expect(keeping.takeReport(at: time(60_999)) == nil)
        #expect(keeping.takeReport(at: time(61_000)) == 997)
        #expect(keeping.takeReport(at: time(200_000)) == nil)
    }
}
