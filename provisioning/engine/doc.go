// Package engine makes VPS orders what they should be, and keeps at it through crashes, lost answers and panels that are down. A program says what should be
// ([Engine.Apply]); the engine makes it so, on one machine with an embedded database, or on many that share a PostgreSQL, with the same code. It drives any
// [provisioning.Provider] and any [provisioning.Registrar].
//
//	e, err := engine.Open(ctx, engine.Config{
//		DatabaseURL: "sqlite:/var/lib/shop/engine.db", // or postgres://...
//		Providers:   map[string]provisioning.Provider{"amsterdam": provider},
//		Registrars:  map[string]provisioning.Registrar{"ospab": registrar},
//	})
//	...
//	err = e.Start(ctx)
//	defer e.Close(ctx)
//
//	err = e.Apply(ctx, engine.Service{Key: "order-4711", Provider: "amsterdam", Spec: order, Registrars: []string{"ospab"}})
//	err = e.Apply(ctx, engine.Service{Key: "order-4711", Desired: engine.Suspended}) // what is left empty stays
//	err = e.Apply(ctx, engine.Service{Key: "order-4711", Desired: engine.Absent})    // final
//
// # Saying what should be
//
// A [Service] is present, suspended or absent. Apply stores it and returns; no panel is asked, so a panel that is down never fails an order. [Engine.ApplyTx]
// stores it inside a transaction of the caller's, together with the invoice: either both are there or none is. Applying the same again does nothing. The
// plan, memory, disk and cores of a service are followed, too ([provisioning.Resizer]).
//
// What is to be done once is a [Command]: restart, rename, rebuild, reset the root password ([Engine.Do], [Engine.WaitCommand]). It has a result, and it is
// never done again. The root password of a new or rebuilt server waits until [Engine.TakePassword] hands it out, once.
//
// [Engine.Status] says in words why a service is not as desired; [Engine.Services], [Engine.DeadLetters] and [Engine.Uncertain] list; [Engine.Watch] tells
// what changes. For monitoring, [Metrics] tells every step, and [Engine.Backlog] how much is pending and since when.
//
// # Hints
//
// [Engine.Notify] is where the webhooks of panels go: a hint to look now. What an event says is not believed; the truth is read from the panel. Events may be
// lost, doubled or late, so the engine also looks by itself, every Timings.Observe. A receiver is three lines:
//
//	virtfusion.NewWebhookHandler(options, func(ctx context.Context, event virtfusion.WebhookEvent) error {
//		server, _ := event.Server()
//		_, err := e.Notify(ctx, "amsterdam", provisioning.ID(strconv.FormatInt(int64(server.ID), 10)))
//		return err
//	})
//
// # How it works
//
// There is one row for each service on each of its panels. The row is the truth: what is desired is compared with what is seen, one step is taken, and the
// row says when to look again. Steps do not depend on their order, so wake-ups may be lost, doubled or late. River carries the wake-ups and nothing else;
// when all of its rows are deleted, the next sweep (1 s) finds what is due. Waiting is a time in a row, never a blocked worker. Orders and changes go before
// routine looks: a panel that cannot be asked often enough for the size of its fleet is looked at more rarely, and takes orders as fast as before.
//
// A step holds its row by a lease of 6 s, which its process renews while the step is younger than Timings.StepTimeout. A killed process is taken over when
// its leases end. A process that was stopped for longer and wakes up can store nothing any more; when it has sent something, the row is looked at again,
// because the panel may now have what is out of date. Clocks of leases are the database's.
//
// Servers are created by the rule of [provisioning.CreateStep] over a table of the engine's: an intent is stored before anything is sent, a create is never
// sent twice, and while the fate of one is unclear, no other one of the same owner starts. Whoever loses the lock of an owner cannot save over its successor.
//
// # It does no harm by itself
//
//   - A service that ever had a server, or an unclear create, never gets another one on its own. When the panel itself says twice that the server does not
//     exist, it is [Lost], until [Engine.Recreate] or [Engine.Forget].
//   - When more than 10 servers and 5 % of a provider go missing within an hour, the provider is paused: it may be the wrong panel, or its database was restored.
//   - When a registrar gives out the id of a record that another service has, it is paused: its database was restored, and whatever is sent by id may be
//     somebody else's. Pause, Reconcile, SettleRecord of what is missing, and Resume are the way out; see Reconcile.
//   - The server's uuid is read before each write. If it is another server's, the service is [Foreign] and nothing is sent.
//   - Only a suspension that the engine has placed is lifted by it. Another one is [Held].
//   - Absent is final. The Key is retired before the deletion is sent, and never used again.
//   - A write is sent once in a generation, unless its outcome was unclear. A generation begins when the service is changed, or with [Engine.Resync]. So what
//     somebody changes in the panel is shown ([Drifted]), not fought over, and what a panel does later (at the next restart) is recorded, not sent again.
//   - [Engine.Reconcile] reads and reports. It deletes nothing.
//
// # Registrars
//
// Panels that only keep records are further rows of a service, each with its own ledger. The state that is reported is suspended, when billing or the panel
// suspended it, and otherwise the observed power; nothing is sent for an unknown one. That a record is being registered is stored before the first byte is
// sent. When its answer is lost, a registrar that can search (a [provisioning.RegistrarFinder]) is asked, by the same rule as for servers; otherwise the
// record is [Uncertain] until a person calls [Engine.SettleRecord]. A registrar that is down never fails provisioning. Records cannot be changed but for their
// status: when a server is resized or reinstalled later, Status and Reconcile say what its record still has.
//
// # When panels fail
//
// Failures that pass are tried again, with pauses from 1 s to 5 minutes, for 7 days; then they are a dead letter. What a panel refuses for good is one at
// once, and so is a change that fails after the panel has accepted it. [Engine.Resync] tries again. The end of an accepted change is waited for for 6 hours.
//
// A panel is paused as a whole when it refuses the credentials, when what answers is not the panel, and when several services in a row get no answer. One
// request now and then tries whether it works again, and then everything goes on ([Engine.Panels], [Engine.Pause], [Engine.Resume]). A missing permission or
// route for one operation blocks that one service only ([Blocked]); the route is tried again now and then. A registrar that has no cheap call to tell the two
// apart is paused for either. One that hangs and cannot search makes a record uncertain with each such try, unless a record that it has can be updated
// instead, which goes first.
//
// # Passwords
//
// Root passwords that wait for TakePassword are encrypted with Config.PasswordKey (AES-256-GCM). Without a key they lie in the database as they are. They are
// masked wherever they are printed, and deleted when they are taken.
//
// # Databases
//
// SQLite: one file for any number of processes of one machine; its folder must be on a local file system. PostgreSQL 14 or newer: any number of machines.
// Open makes the tables, and brings them up to date. A caller's own transaction is a *sql.Tx ([SQLTx]) or a pgx.Tx ([PgxTx]). Limits of workers are per
// process: two processes have twice as many.
//
// # Not promised
//
//   - What [provisioning.CreateOnce] does not promise.
//   - Suspending, resizing and reporting a status have no last time to be sent at: a process that is stopped in the middle of such a request, for longer than
//     its lease, may finish it when it wakes up. The row is then looked at again and put right.
//   - Changes that are made and undone in a panel between two looks are not seen. The engine looks often after a change, and every 15 minutes otherwise.
package engine
