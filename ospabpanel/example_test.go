package ospabpanel_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// A simulated panel stands in for the real one; without WithHTTPClient the same code talks to panel.ospab.host.
func ExampleSync() {
	panel := ospabpaneltest.NewPanel(ospabpaneltest.Options{})
	defer panel.Close()
	alice := panel.AddUser("alice")

	ctx := context.Background()
	sync, err := ospabpanel.New(panel.URL(), panel.Key(), ospabpanel.WithHTTPClient(panel.HTTPClient()))
	if err != nil {
		fmt.Println(err)
		return
	}
	vps, err := sync.Create(ctx, ospabpanel.CreateRequest{
		UserID: ospabpanel.PanelUserID(alice.ID), Name: "order-1042", CPUCores: 2, Memory: 4 * provisioning.GiB, Disk: 40 * provisioning.GiB, OS: "Debian 12",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("record", vps.ID, "is", vps.Status)

	if _, err = sync.UpdateStatus(ctx, vps.ID, ospabpanel.StatusRunning); err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range panel.Records() {
		fmt.Println(row.Name, row.Status, row.MemoryMB, "MB", row.DiskGB, "GB")
	}
	if err = sync.Delete(ctx, vps.ID); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(panel.Records()), "records")
	// Output:
	// record 1 is creating
	// order-1042 running 4096 MB 40 GB
	// 0 records
}

// A number without a unit is refused before anything is sent.
func ExampleSync_Create_units() {
	sync, err := ospabpanel.New("https://panel.ospab.host", "0123456789abcdef0123456789abcdef")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = sync.Create(context.Background(), ospabpanel.CreateRequest{
		UserID: 5, Name: "order-1042", CPUCores: 2, Memory: 8, Disk: 40 * provisioning.GiB, OS: "Debian 12",
	})
	fmt.Println(errors.Is(err, provisioning.Invalid))
	fmt.Println(err)
	// Output:
	// true
	// invalid; memory: 8B is not a whole number of MB of 2^20 bytes between 1 and 2147483647: write 8*provisioning.GiB, not 8
}

// Settings come from OSPAB_PANEL_URL and VPS_SYNC_API_KEY; in a program getenv is os.Getenv.
func ExampleNewFromEnv() {
	getenv := func(name string) string {
		return map[string]string{"OSPAB_PANEL_URL": "https://panel.ospab.host"}[name]
	}
	_, err := ospabpanel.NewFromEnv(getenv)
	fmt.Println(err)
	// Output: ospab: invalid; VPS_SYNC_API_KEY: is empty
}

// A create whose answer was lost is found again by its name, with a token of the panel's user.
func ExampleFindingRegistrar() {
	panel := ospabpaneltest.NewPanel(ospabpaneltest.Options{})
	defer panel.Close()
	alice := panel.AddUser("alice")
	overPanel := ospabpanel.WithHTTPClient(panel.HTTPClient())

	sync, err := ospabpanel.New(panel.URL(), panel.Key(), overPanel)
	if err != nil {
		fmt.Println(err)
		return
	}
	users := ospabpanel.UserTable{"customer-123": ospabpanel.PanelUserID(alice.ID)} // the main site's id: the panel's
	base, err := ospabpanel.NewRegistrar(sync, users)
	if err != nil {
		fmt.Println(err)
		return
	}
	registrar, err := ospabpanel.NewFindingRegistrar(base, func(_ context.Context, user ospabpanel.PanelUserID) (*ospabpanel.UserClient, error) {
		return ospabpanel.NewUserClient(panel.URL(), user, ospabpanel.StaticToken(panel.Token(int64(user))), overPanel)
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	order := provisioning.Record{Key: "order-1042", OwnerRef: "customer-123", VCPUs: 2, Memory: 4 * provisioning.GiB, Disk: 40 * provisioning.GiB, Image: "Debian 12"}
	panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter})
	_, err = registrar.Register(ctx, order)
	fmt.Println("may have been applied:", errors.Is(err, provisioning.ErrMaybeApplied))

	found, err := registrar.FindRecords(ctx, order)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("found:", len(found), found[0].ID, found[0].Name)
	// Output:
	// may have been applied: true
	// found: 1 1 order-1042
}

// A panel user switches an own VPS on, and waits until it runs.
func ExampleUserClient() {
	panel := ospabpaneltest.NewPanel(ospabpaneltest.Options{ActionTime: -1})
	defer panel.Close()
	alice := panel.AddUser("alice")
	panel.AddRecord(ospabpaneltest.Record{UserID: alice.ID, Name: "order-1042", Status: "stopped"})
	overPanel := ospabpanel.WithHTTPClient(panel.HTTPClient())

	ctx := context.Background()
	auth, err := ospabpanel.NewAuth(panel.URL(), overPanel)
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := ospabpanel.NewUserClient(panel.URL(), ospabpanel.PanelUserID(alice.ID), auth.Tokens("alice", alice.Password), overPanel)
	if err != nil {
		fmt.Println(err)
		return
	}
	list, err := client.List(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, vps := range list {
		if err := client.EnsureRunning(ctx, vps.ID); err != nil {
			fmt.Println(err)
			return
		}
		seen, err := client.WaitStatus(ctx, vps.ID, ospabpanel.StatusRunning, provisioning.WaitOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(seen.Name, seen.Status)
	}
	// Output: order-1042 running
}
