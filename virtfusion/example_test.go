package virtfusion_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// examplePanel answers each path with a file of testdata.
func examplePanel(answers map[string]string) (*virtfusion.Client, func()) {
	panel := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := answers[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v1")]
		body, err := os.ReadFile(filepath.Join("..", "testdata", "virtfusion", name+".json"))
		if !ok || err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		var status int
		_, _ = fmt.Sscan(name[strings.LastIndexByte(name, '.')+1:], &status)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	client, err := virtfusion.New(panel.URL, "example-token")
	if err != nil {
		panic(err)
	}
	return client, panel.Close
}

func ExampleClient() {
	client, closePanel := examplePanel(map[string]string{"GET /servers": "listServers.200"})
	defer closePanel()

	for server, err := range client.Servers.List(context.Background(), virtfusion.ListServersOptions{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(server.ID, server.Name, server.Phase())
	}
	// Output:
	// 417 web-17 ready
	// 418  allocated
	// 419 db-1 unknown
}

// The steps of an order. provisioning.CreateOnce does them too, and survives lost answers and crashes between them.
func ExampleServersService_Create() {
	client, closePanel := examplePanel(map[string]string{
		"GET /users/7001/byExtRelation": "getUserByExtRelation.200", "POST /servers": "createServer.201", "PUT /servers/417/modify/name": "modifyServerName.201",
		"POST /servers/417/build": "buildServer.200", "GET /servers/417": "getServer.200",
	})
	defer closePanel()
	ctx := context.Background()

	customer, err := client.Users.GetByExtRelation(ctx, virtfusion.ExtRelationID(7001))
	if err != nil {
		fmt.Println(err)
		return
	}
	memory, err := virtfusion.MBOf(4 * provisioning.GiB)
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := client.Servers.Create(ctx, virtfusion.CreateServerRequest{PackageID: 3, UserID: customer.ID, HypervisorGroupID: 2, Memory: memory})
	if errors.Is(err, provisioning.ErrMaybeApplied) {
		fmt.Println("look at the customer's servers before trying again:", err)
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Servers.Rename(ctx, server.ID, "order-7"); err != nil {
		fmt.Println(err)
		return
	}
	built, err := client.Servers.Build(ctx, server.ID, virtfusion.BuildServerRequest{OperatingSystemID: 31, Hostname: "web-17.example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Servers.WaitBuilt(ctx, server.ID, provisioning.WaitOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("server", server.ID, "is ready, its root password is", built.Settings.DecryptedPassword)
	// Output:
	// server 417 is ready, its root password is [secret]
}

func ExampleQueueService_Wait() {
	client, closePanel := examplePanel(map[string]string{"POST /servers/417/power/boot": "bootServer.200", "GET /queue/2001": "getQueueItem.200"})
	defer closePanel()
	ctx := context.Background()

	job, err := client.Servers.Boot(ctx, 417)
	switch {
	case errors.Is(err, provisioning.Locked), errors.Is(err, provisioning.Maintenance):
		fmt.Println("later:", err)
		return
	case err != nil:
		fmt.Println(err)
		return
	}
	err = client.Queue.Wait(ctx, job, provisioning.WaitOptions{OnProgress: func(p provisioning.Progress) { fmt.Println(p.Percent, "percent") }})
	fmt.Println(err)
	// Output:
	// 100 percent
	// <nil>
}

func ExampleMediaService_PackageTemplates() {
	client, closePanel := examplePanel(map[string]string{"GET /media/templates/fromServerPackageSpec/3": "listPackageTemplates.200"})
	defer closePanel()

	groups, err := client.Media.PackageTemplates(context.Background(), 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, group := range groups {
		for _, template := range group.Templates {
			fmt.Println(template.ID, template.FullName())
		}
	}
	// Output:
	// 31 Debian 12 (Bookworm) Minimal
	// 32 Debian 13 (Trixie)
	// 40 FreeBSD 14
}

func ExampleUsersService_GetByExtRelation() {
	client, closePanel := examplePanel(map[string]string{"GET /users/7001/byExtRelation": "getUserByExtRelation.404"})
	defer closePanel()

	_, err := client.Users.GetByExtRelation(context.Background(), virtfusion.ExtRelationID(7001))
	fmt.Println(errors.Is(err, provisioning.NotFound), errors.Is(err, provisioning.NoRoute))
	fmt.Println(err)
	// Output:
	// true false
	// virtfusion: getUserByExtRelation: not found (HTTP 404): ext_relation_id not found
}

func ExamplePackagesService_List() {
	client, closePanel := examplePanel(map[string]string{"GET /packages": "listPackages.200"})
	defer closePanel()

	packages, err := client.Packages.List(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range packages {
		traffic := p.Traffic.Bytes().String()
		if p.Traffic.Unlimited() {
			traffic = "unlimited"
		}
		fmt.Println(p.Name, p.Memory.Bytes(), p.PrimaryStorage.Bytes(), traffic)
	}
	// Output:
	// VPS 4 4GiB 40GiB 2000GiB
	// VPS 2 (old) 2GiB 20GiB unlimited
}

func ExampleSSHKeysService_Create() {
	client, closePanel := examplePanel(map[string]string{"POST /ssh_keys": "addSshKey.201"})
	defer closePanel()

	key, err := client.SSHKeys.Create(context.Background(), virtfusion.CreateSSHKeyRequest{
		UserID: 23, Name: "laptop", PublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFixtureFixtureFixtureFixtureFixtureFixtur laptop",
	})
	fmt.Println(key.ID, err)
	// Output:
	// 5 <nil>
}

func ExampleHypervisorGroupsService_Resources() {
	client, closePanel := examplePanel(map[string]string{"GET /compute/hypervisors/groups/2/resources": "listHypervisorGroupResources.200"})
	defer closePanel()

	for r, err := range client.HypervisorGroups.Resources(context.Background(), 2, virtfusion.ListOptions{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(r.Hypervisor.Name, r.Resources.Memory.Free.Bytes())
	}
	// Output:
	// fra-hv-9 40GiB
}

func ExampleHypervisorsService_List() {
	client, closePanel := examplePanel(map[string]string{"GET /compute/hypervisors": "listHypervisors.200"})
	defer closePanel()

	for h, err := range client.Hypervisors.List(context.Background(), virtfusion.ListOptions{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(h.Name, h.Group.Name, h.MaxMemory.Bytes())
	}
	// Output:
	// fra-hv-9 Frankfurt 64GiB
}

func ExampleGeneralService_TestConnection() {
	client, closePanel := examplePanel(map[string]string{"GET /connect": "testConnection.200"})
	defer closePanel()

	fmt.Println(client.General.TestConnection(context.Background()))
	// Output:
	// <nil>
}

func ExampleClient_Do() {
	client, closePanel := examplePanel(map[string]string{"GET /packages/3": "getPackage.200"})
	defer closePanel()

	var answer struct {
		Data struct {
			Name string `json:"name"`
		} `json:"data"`
	}
	err := client.Do(context.Background(), http.MethodGet, "/packages/3", nil, &answer)
	fmt.Println(answer.Data.Name, err)
	// Output:
	// VPS 4 <nil>
}
