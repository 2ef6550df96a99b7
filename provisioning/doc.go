// Package provisioning is the vocabulary that all panels share: what a server is, what can be done with it, how failures are told, and how an order becomes
// exactly one server. A program that is written against it runs unchanged on every panel that has a provider. It uses the standard library only.
//
// # Core and capabilities
//
// [Provider] is the core: list servers, read one. Everything else is a capability, a small interface of its own: [Creator], [Power], [Suspender], [Deleter],
// [Rebuilder], [Resizer], [OwnerManager], [PanelAccess], [Catalog] and so on. A provider implements those that its panel kind has.
//
// Every method of a capability is also a function of this package, a verb: [Suspend], [Delete], [OpenConsole]. A verb finds the capability with [As] and returns
// [Unsupported] where there is none, so most programs need no As of their own. Use As to build menus: it says what the panel kind can do. What this panel, its
// version, its licence or this token refuses shows when a verb is called, as [NoRoute], [Forbidden] or Unsupported. As looks through wrappers that have a method
// Unwrap; a wrapper that must see every call does not define it.
//
// Panels that only keep records of servers made elsewhere are a [Registrar].
//
// # Units
//
// [Bytes] is exact and carries its unit as text ("8GiB"), so that an 8 is never taken for 8 MB here and 8 GB there. ParseBytes refuses a number without a
// unit, and [Bytes.Whole] and [Of] refuse what is not a whole number of a panel's units or does not fit: nothing in this module rounds. What panels call MB
// and GB of memory and disk are MiB and GiB.
//
// What a panel did not tell is absent ([Opt]) or the zero value of a type that has no real zero (time.Time, netip.Addr), never a made-up number. Null is kept
// apart from absent, because to some panels it is an instruction. Passwords, tokens and keys are a [Secret], which masks itself wherever it is printed.
//
// # States
//
// [Phase] says how far a server has come, [PowerState] what its hypervisor says, and Suspended whether billing or an administrator stopped it.
// [Instance.State] folds the three into the word that a client area shows. States that nobody has seen before become PhaseUnknown and PowerUnknown, with the
// panel's own word in RawState. That a server was deleted is never inferred from a state, from a list that lacks it, or from a missing route: only the
// panel's own [NotFound] says so ([WaitGone]).
//
// # Errors
//
// Every call ends in one of three ways: it was done (nil), it was refused for a reason of a [Kind], or its fate is not known ([ErrMaybeApplied]). Ask with
// errors.Is, and errors.As for an [Error] with the details:
//
//	errors.Is(err, provisioning.NotFound)        // and any other Kind
//	errors.Is(err, provisioning.ErrMaybeApplied) // a write that may have been carried out: look before doing it again
//
// The kinds, and what a program does about them:
//
//	Invalid       the input is wrong; Fields says where. Nothing was sent, or the panel's validation refused it.
//	Unauthorized  the credentials are missing, wrong or expired
//	Forbidden     the credentials lack this permission
//	NotFound      the panel itself says that the record does not exist
//	NoRoute       the address answers, but not as this operation: wrong path or older panel. Never read it as gone.
//	Conflict      it contradicts the present state, or several servers could be meant
//	Locked        other tasks of the server are pending or failed, or it is protected; try later
//	Capacity      no room or no free address
//	Maintenance   the hypervisor is in maintenance; try later
//	RateLimited   too many calls; RetryAfter says how long to wait, where the panel does
//	Unavailable   no usable answer: network, timeout, 5xx; try later
//	Mismatch      the answer belongs to another object than the one asked for; nothing was changed
//	Unsupported   the panel kind cannot do this
//	Unexpected    an answer outside of what is documented
//
// MaybeApplied is set beside the Kind and is sticky: once an attempt of a call may have been carried out, only success clears it. Two more errors belong to
// waits: [ErrTaskFailed], the panel accepted the operation and then reported that it failed, and [ErrStillRunning], the wait ended before the operation did.
//
// # Waiting
//
// What a panel carries out by itself is an [Operation]. [Operation.Wait] looks first after 250 ms, then whenever 15 % of the elapsed time have passed, at
// least 250 ms and at most WaitOptions.Max (3 s) apart, so the end is noticed late by at most that much. A panel's Retry-After moves the next look. Three
// failed looks in a row end the wait, a refusal ends it at once, and so does the context: all with ErrStillRunning, the reason and the last state seen. The
// operation itself goes on, and can be waited for again, also in another process ([Operation.Ref], [OpenOperation]). A cancelled wait is never success.
//
// # Never twice
//
// No panel has idempotency keys, and a create whose answer is lost may still be carried out minutes later. [CreateOnce] makes one server of one order all the
// same. It needs a Key that names the order for ever, and an [Intents] store that outlives the process: [FileIntents] for the processes of one machine,
// [MemIntents] for tests.
//
//  1. The scope (panel and owner) is locked, the owner's servers are read, and the [Intent] is stored. Then the one create is sent, and never later than
//     SendBefore (30 s). The Key is written onto the server at once.
//  2. If the answer is lost, CreateOnce looks for the server: the one that carries the Key, or, where create cannot store one, the owner's only new, unnamed
//     and never built server. It looks until the panel can no longer carry out the request (SendBefore + Settle, 2 minutes). Only then does it send a new
//     create.
//  3. Meanwhile no other order of that owner on that panel starts, so that no two orders can take each other's server.
//  4. The first installation, where it is a call of its own, is guarded in the same way.
//
// Calling CreateOnce again with the same Key, after an error, a crash or a year, continues from the stored intent and returns the same server. When the
// context ends while the fate of a write is unknown, the error is ErrMaybeApplied; call again. A server that is gone is NotFound and is never made again on
// its own. Before deleting a server, [Retire] its Key. When several servers could be meant ([ConflictError]), nothing is created for that owner until a
// person gives the right one the Key as its name, or deletes the wrong ones.
//
// Not promised:
//
//   - When somebody else makes a server for the same owner in the same minutes, which is unnamed and unbuilt as well, and the answer to our create is lost,
//     the wrong one of the two may be taken, or both reported as a conflict.
//   - A panel that carries out a create later than SendBefore + Settle makes a second server.
//   - Two stores for the same orders (two machines with a folder each) do not know of each other: one order is one store's.
//   - A store that is lost loses what was not yet written onto a server. Orders whose server carries the Key are found again, unless somebody renamed it; and
//     a server that somebody named like the Key of a new order is taken for that order's.
//   - SendBefore and Settle are wall time. A clock that is set forward by minutes shortens them.
//   - A process that is stopped for minutes just between its last look at the clock and the sending sends late. A create is then like one that the panel
//     carries out late, and a first installation that another process has done meanwhile is done again.
//
// [CreateStep] is the same rule one step at a time, for programs that do not block: it never waits, and says when it wants to be called again.
//
// # Concurrency
//
// Providers, stores, operations and all functions of this package are safe for concurrent use. Calls end promptly when their context does. Nothing here
// starts a goroutine: callbacks run in the caller's.
package provisioning
