package virtfusion_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// A link that logs a customer in on the page of his server. Answer the click with a redirect to it, and store it nowhere.
func ExampleUsersService_CreateServerLogin() {
	client, closePanel := examplePanel(map[string]string{"POST /users/7001/serverAuthenticationTokens/417": "createServerAuthenticationTokens.200"})
	defer closePanel()

	login, err := client.Users.CreateServerLogin(context.Background(), virtfusion.ExtRelationID(7001), 417, virtfusion.LoginRequest{})
	if err != nil {
		fmt.Println(err)
		return
	}
	link, err := login.URL(client.BaseURL()) // an error when it would lead to another host
	fmt.Println(link, login.Expiry.TTLSeconds, err)
	// Output:
	// [secret] 60 <nil>
}

// Credit is money: it is sent once, and when its answer is lost, the balance tells whether it has arrived.
func ExampleSelfServiceService_AddCredit() {
	client, closePanel := examplePanel(map[string]string{
		"POST /selfService/credit/byUserExtRelationId/7001": "addCredit.201", "GET /selfService/hourlyStats/byUserExtRelationId/7001": "getHourlyStats.200",
	})
	defer closePanel()
	ctx, customer := context.Background(), virtfusion.ExtRelationID(7001)

	credit, err := client.SelfService.AddCredit(ctx, customer, virtfusion.AddCreditRequest{Tokens: "12.50", Reference2: "invoice 2026-118"})
	if errors.Is(err, provisioning.ErrMaybeApplied) {
		fmt.Println("compare the balance before trying again:", err)
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	stats, err := client.SelfService.HourlyStats(ctx, customer, virtfusion.UsageOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("credit", credit.ID, "balance", stats.Credit.Value)
	// Output:
	// credit 301 balance 87.5
}

func ExampleServersService_EnableRescue() {
	client, closePanel := examplePanel(map[string]string{"POST /servers/417/rescue": "enableServerRescue.200", "GET /servers/417/rescue": "getServerRescue.200"})
	defer closePanel()
	ctx := context.Background()

	if _, err := client.Servers.EnableRescue(ctx, 417, virtfusion.EnableRescueRequest{}); err != nil {
		fmt.Println(err)
		return
	}
	state, err := client.Servers.Rescue(ctx, 417) // the panel's JSON, with the login once the system has booted
	fmt.Println(state, err)
	// Output:
	// [secret] <nil>
}

func ExampleServersService_CreateBackup() {
	client, closePanel := examplePanel(map[string]string{"POST /servers/417/backupManager/backup": "createServerBackup.422"})
	defer closePanel()

	_, err := client.Servers.CreateBackup(context.Background(), 417)
	fmt.Println(errors.Is(err, provisioning.Invalid), errors.Is(err, provisioning.ErrMaybeApplied))
	fmt.Println(err)
	// Output:
	// true false
	// virtfusion: createServerBackup: invalid (HTTP 422): A backup or restore is already running or queued
}

func ExampleServersService_LegacyBackups() {
	client, closePanel := examplePanel(map[string]string{"GET /backups/server/417": "listLegacyServerBackups.200"})
	defer closePanel()

	backups, err := client.Servers.LegacyBackups(context.Background(), 417)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range backups {
		fmt.Println(b.ID, b.Created.UTC().Format("2006-01-02"), b.Complete)
	}
	// Output:
	// 71 2026-03-02 true
	// 72 2026-03-03 false
}

// exampleServer is a simulated panel with a provider and one server.
func exampleServer() (*virtfusion.Provider, provisioning.ID, func()) {
	panel := virtfusiontest.NewPanel(virtfusiontest.Options{Timing: virtfusiontest.Timing{Build: -1, ResetPassword: -1}})
	client, err := virtfusion.New(panel.URL(), panel.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: panel.Transport()}))
	if err != nil {
		panic(err)
	}
	owner := panel.AddUser(virtfusiontest.User{Name: "Ann", Email: "ann@example.com", ExtRelationID: 7001})
	server, err := panel.AddServer(virtfusiontest.Server{OwnerID: owner, Name: "web-1", Built: true})
	if err != nil {
		panic(err)
	}
	return virtfusion.NewProvider(client, virtfusion.ProviderOptions{}), provisioning.ID(fmt.Sprint(server.ID)), panel.Close
}

func ExampleProvider_Resize() {
	provider, id, closePanel := exampleServer()
	defer closePanel()

	op, err := provider.Resize(context.Background(), id, provisioning.ResizeRequest{Memory: provisioning.Some(2 * provisioning.GiB)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("at the next power action:", op.Deferred())
	// Output:
	// at the next power action: [Update memory]
}

func ExampleProvider_LoginLink() {
	provider, id, closePanel := exampleServer()
	defer closePanel()

	link, err := provider.LoginLink(context.Background(), "7001", id)
	fmt.Println(link.URL, err)
	// Output:
	// [secret] <nil>
}

func ExampleProvider_ResetRootPassword() {
	provider, id, closePanel := exampleServer()
	defer closePanel()
	ctx := context.Background()

	reset, err := provider.ResetRootPassword(ctx, id, provisioning.PasswordOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := reset.Wait(ctx, provisioning.WaitOptions{}); err != nil {
		fmt.Println("the old password still works:", err)
		return
	}
	fmt.Println("now valid:", reset.Password)
	// Output:
	// now valid: [secret]
}
