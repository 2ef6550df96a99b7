package provisioning_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// newExampleProvider is a panel in memory; a program has a provider of one of the panel packages instead.
func newExampleProvider() provisioning.Provider { return &toyProvider{&toyPanel{}} }

func ExampleParseBytes() {
	memory, err := provisioning.ParseBytes("8GiB")
	if err != nil {
		log.Fatal(err)
	}
	mb, ok := memory.Whole(provisioning.MiB)
	fmt.Println(mb, ok)

	_, err = provisioning.ParseBytes("8")
	fmt.Println(err)
	// Output:
	// 8192 true
	// invalid; bytes: "8" is not a size: write a number with its unit, such as 512MiB or 20GiB
}

func ExampleBytes_Whole() {
	disk := 1536 * provisioning.MiB
	_, ok := disk.Whole(provisioning.GiB)
	fmt.Println(ok, "- 1.5 GiB are not a whole number of GiB, and nothing is rounded")
	// Output: false - 1.5 GiB are not a whole number of GiB, and nothing is rounded
}

func ExampleOpt() {
	type change struct {
		CPULimit provisioning.Opt[int]    `json:"cpuLimit,omitzero"`
		Comment  provisioning.Opt[string] `json:"comment,omitzero"`
		Backup   provisioning.Opt[bool]   `json:"backup,omitzero"`
	}
	b, _ := json.Marshal(change{CPULimit: provisioning.Null[int](), Comment: provisioning.Some("")})
	fmt.Println(string(b)) // null clears, "" is a value, and Backup stays as it is
	// Output: {"cpuLimit":null,"comment":""}
}

func ExampleSecret() {
	account := provisioning.OwnerAccount{ID: "7", Password: "correct horse"}
	fmt.Printf("%v %s\n", account.Password, account.Password.Reveal())
	// Output: [secret] correct horse
}

func ExampleError() {
	var err error = &provisioning.Error{Panel: "virtfusion", Op: "createServer", Status: 504, Kind: provisioning.Unavailable, MaybeApplied: true}
	fmt.Println(err)
	switch {
	case errors.Is(err, provisioning.ErrMaybeApplied):
		fmt.Println("look before doing it again")
	case errors.Is(err, provisioning.Unavailable):
		fmt.Println("nothing happened, try later")
	}
	// Output:
	// virtfusion: createServer: unavailable (HTTP 504); it may have been applied
	// look before doing it again
}

func ExampleInstance_State() {
	i := provisioning.Instance{Phase: provisioning.PhaseReady, Power: provisioning.PowerRunning}
	fmt.Println(i.State())
	i.Suspended = true
	fmt.Println(i.State())
	// Output:
	// online
	// suspended
}

func ExampleRecordStatusOf() {
	i := provisioning.Instance{Phase: provisioning.PhaseReady, Power: provisioning.PowerUnknown}
	_, ok := provisioning.RecordStatusOf(i, false)
	fmt.Println(ok, "- the hypervisor did not answer, so nothing is sent")
	status, ok := provisioning.RecordStatusOf(i, true)
	fmt.Println(ok, status)
	// Output:
	// false - the hypervisor did not answer, so nothing is sent
	// true suspended
}

func ExampleAs() {
	p := newExampleProvider()
	var menu []string
	if _, ok := provisioning.As[provisioning.Creator](p); ok {
		menu = append(menu, "create")
	}
	if _, ok := provisioning.As[provisioning.ConsoleOpener](p); ok {
		menu = append(menu, "console")
	}
	fmt.Println(menu)
	// Output: [create]
}

func ExampleOpenConsole() {
	_, err := provisioning.OpenConsole(context.Background(), newExampleProvider(), "1")
	fmt.Println(errors.Is(err, provisioning.Unsupported), err)
	// Output: true OpenConsole: unsupported: this panel cannot do it
}

func ExampleFindPlan() {
	p := catalog{plans: []provisioning.PlanInfo{{ID: "3", Name: "Small"}, {ID: "4", Name: "Large"}, {ID: "5", Name: "large"}}}
	plan, err := provisioning.FindPlan(context.Background(), p, "small")
	fmt.Println(plan.ID, err)
	_, err = provisioning.FindPlan(context.Background(), p, "Large")
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// conflict; plan: more than one is called Large; use its id
}

func ExampleWait() {
	percent := 0
	look := func(context.Context) (provisioning.Look, error) { // asks a panel
		percent += 50
		return provisioning.Look{Done: percent == 100, Percent: percent, State: "building"}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	err := provisioning.Wait(ctx, look, provisioning.WaitOptions{OnProgress: func(p provisioning.Progress) {
		fmt.Printf("look %d: %d %%\n", p.Looks, p.Percent)
	}})
	fmt.Println(err)
	// Output:
	// look 1: 50 %
	// look 2: 100 %
	// <nil>
}

func ExampleWait_cancelled() {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	err := provisioning.Wait(ctx, func(context.Context) (provisioning.Look, error) {
		return provisioning.Look{State: "building"}, nil
	}, provisioning.WaitOptions{})
	fmt.Println(errors.Is(err, provisioning.ErrStillRunning), errors.Is(err, context.DeadlineExceeded))
	// Output: true true
}

func ExampleCreateOnce() {
	dir, err := os.MkdirTemp("", "intents")
	if err != nil {
		log.Fatal(err)
	}
	store, err := provisioning.NewFileIntents(dir) // in a program: a folder that stays
	if err != nil {
		log.Fatal(err)
	}
	p := newExampleProvider()
	order := provisioning.CreateRequest{
		Key:      "order-1001", // the billing system's own number of the order
		Hostname: "vps1.example.net",
		Plan:     "3",
		Image:    "12",
		Owner:    provisioning.Owner{Ref: "7", Name: "Ann", Email: "ann@example.net"},
		IPv4:     1,
	}
	ctx := context.Background() // in a program: one that ends
	created, err := provisioning.CreateOnce(ctx, p, store, order, provisioning.CreateOptions{
		OnStage: func(s provisioning.CreateStage, _ provisioning.ID) { fmt.Println(s) },
	})
	switch {
	case errors.Is(err, provisioning.ErrMaybeApplied):
		log.Fatal("not known yet, call again with the same Key: ", err)
	case err != nil:
		log.Fatal("refused: ", err)
	}
	if err := created.Wait(ctx, provisioning.WaitOptions{}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready:", created.ID, created.Password)

	again, err := provisioning.CreateOnce(ctx, p, store, order, provisioning.CreateOptions{})
	fmt.Println("the same order again:", again.ID, err)
	_ = os.RemoveAll(dir)
	// Output:
	// planned
	// created
	// marked
	// build planned
	// building
	// ready: 1 [secret]
	// the same order again: 1 <nil>
}

func ExampleCreateStep() {
	p, store := newExampleProvider(), &provisioning.MemIntents{}
	order := provisioning.CreateRequest{Key: "order-1001", Hostname: "vps1.example.net", Plan: "3", Image: "12", Owner: provisioning.Owner{Ref: "7"}}
	step, err := provisioning.CreateStep(context.Background(), p, store, order, provisioning.CreateOptions{})
	switch {
	case err != nil:
		fmt.Println("refused:", err)
	case step.Again > 0:
		fmt.Printf("store %s, call again in %v: waiting for %s\n", step.ID, step.Again, step.Waiting)
	default:
		fmt.Println("accepted:", step.ID)
	}
	// Output: accepted: 1
}

func ExampleRetire() {
	ctx, p, store := context.Background(), newExampleProvider(), &provisioning.MemIntents{}
	order := provisioning.CreateRequest{Key: "order-1001", Hostname: "vps1.example.net", Plan: "3", Image: "12", Owner: provisioning.Owner{Ref: "7"}}
	if _, err := provisioning.CreateOnce(ctx, p, store, order, provisioning.CreateOptions{}); err != nil {
		log.Fatal(err)
	}
	if err := provisioning.Retire(ctx, store, order.Key); err != nil { // then Delete
		log.Fatal(err)
	}
	_, err := provisioning.CreateOnce(ctx, p, store, order, provisioning.CreateOptions{})
	fmt.Println(err)
	// Output: CreateOnce: conflict: key order-1001 was retired: the deletion of its server was asked for
}

func ExampleOpenOperation() {
	var p provisioning.OperationOpener = &allround{} // a provider
	op, err := provisioning.OpenOperation(p, "queue:171")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(op.Wait(context.Background(), provisioning.WaitOptions{}))
	// Output: <nil>
}
