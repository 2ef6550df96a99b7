package solusvm2_test

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
	"github.com/hvpanels/hvpanels/solusvm2"
)

// examplePanel answers each path with a file of testdata.
func examplePanel(answers map[string]string) (client *solusvm2.Client, closePanel func()) {
	panel := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := answers[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v1")]
		body, err := os.ReadFile(filepath.Join("..", "testdata", "solusvm2", name+".json"))
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
	client, err := solusvm2.New(panel.URL, "example-token")
	if err != nil {
		panic(err)
	}
	return client, panel.Close
}

func ExampleClient() {
	client, closePanel := examplePanel(map[string]string{"GET /servers": "listServers.200"})
	defer closePanel()

	for server, err := range client.Servers.List(context.Background(), solusvm2.ServerFilter{UserID: 7}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(server.ID, server.Name, server.Power(), "suspended:", server.IsSuspended)
	}
	// Output:
	// 42 web-42.example.com running suspended: false
	// 43 db-43.example.com stopped suspended: true
}

// What a token may do depends on the role of its owner. A customer has no list of all servers, but those of his projects.
func ExampleUser_HasRole() {
	client, closePanel := examplePanel(map[string]string{
		"GET /account": "getAccount.200", "GET /servers": "listServers.200", "GET /projects": "listProjects.200", "GET /projects/3/servers": "listProjectServers.200",
	})
	defer closePanel()
	ctx := context.Background()

	me, err := client.Account.Get(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	if me.HasRole(solusvm2.RoleAdmin) {
		servers, err := client.Servers.ListComplete(ctx, solusvm2.ServerFilter{})
		fmt.Println(len(servers), "servers of the node", err)
		return
	}
	for project, err := range client.Projects.List(ctx, solusvm2.ProjectFilter{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for server, err := range client.Servers.ListByProject(ctx, project.ID, solusvm2.ListOptions{}) {
			fmt.Println(project.Name, server.Name, err)
		}
	}
	// Output:
	// 2 servers of the node <nil>
}

// The steps of an order. provisioning.CreateOnce does them too, and survives lost answers and crashes between them.
func ExampleServersService_Create() {
	client, closePanel := examplePanel(map[string]string{"POST /servers": "createServer.201", "GET /servers/42": "getServer.200"})
	defer closePanel()
	ctx := context.Background()

	server, err := client.Servers.Create(ctx, solusvm2.CreateServerRequest{
		Name: "web-42.example.com", Description: "order-7", Plan: 5, Location: 2, OS: 21, Project: 3, User: 7, SSHKeys: []solusvm2.SSHKeyID{61},
	})
	if errors.Is(err, provisioning.ErrMaybeApplied) {
		fmt.Println("look for a server with the description order-7 before ordering again")
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(server.ID, server.Phase())

	server, err = client.Servers.WaitIdle(ctx, server.ID, provisioning.WaitOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(server.Power(), server.Specifications.RAM.Bytes(), server.Specifications.Disk.Bytes(), server.Addresses()[0].Prefix)
	// Output:
	// 42 building
	// running 4GiB 40GiB 198.51.100.17/24
}

// An action is accepted as a task, which is waited for. Panels may answer without one.
func ExampleTasksService_Wait() {
	client, closePanel := examplePanel(map[string]string{"POST /servers/42/restart": "restartServer.200",
		"GET /tasks/9004": "restartServer-done_with_errors.200", "GET /servers/42": "getServer.200"})
	defer closePanel()
	ctx := context.Background()

	task, err := client.Servers.Restart(ctx, 42, solusvm2.PowerOptions{})
	switch {
	case err != nil:
		fmt.Println(err)
		return
	case task == nil:
		_, err = client.Servers.WaitIdle(ctx, 42, provisioning.WaitOptions{})
	default:
		fmt.Println("task", task.ID, task.Action)
		err = client.Tasks.Wait(ctx, task.ID, provisioning.WaitOptions{})
	}
	fmt.Println(err)
	// Output:
	// task 9004 vm-restart
	// solusvm2: task 9004 (vm-restart): task failed (done_with_errors): the guest agent did not answer
}

// What to install is a version of an operating system.
func ExampleOSImagesService_List() {
	client, closePanel := examplePanel(map[string]string{"GET /os_images": "listOsImages.200"})
	defer closePanel()

	for image, err := range client.OSImages.List(context.Background(), solusvm2.OSImageFilter{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, v := range image.Versions {
			if v.IsVisible && !v.IsDeprecated {
				fmt.Println(v.ID, image.Name, v.Version)
			}
		}
	}
	// Output:
	// 21 Debian 12
}

func ExamplePlansService_List() {
	client, closePanel := examplePanel(map[string]string{"GET /plans": "listPlans.200"})
	defer closePanel()

	for plan, err := range client.Plans.List(context.Background(), solusvm2.PlanFilter{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(plan.Name, plan.Params.VCPU, plan.Params.RAM.Bytes(), plan.Params.Disk.Bytes(), "traffic:", plan.Traffic())
	}
	// Output:
	// KVM S 2 4GiB 40GiB traffic: 2TiB
	// Container XS 1 512MiB 10GiB traffic: null
}

// The number of addresses is changed by the difference; which ones come or go is read from the server afterwards.
func ExampleServersService_RemoveIPs() {
	client, closePanel := examplePanel(map[string]string{"GET /servers/42": "getServer.200", "DELETE /servers/42/ips": "removeServerIPs.204"})
	defer closePanel()
	ctx := context.Background()

	server, err := client.Servers.Get(ctx, 42)
	if err != nil {
		fmt.Println(err)
		return
	}
	var extra []solusvm2.IPAddressID
	for _, ip := range server.IPAddresses.IPv4 {
		if !ip.IsPrimary {
			extra = append(extra, ip.ID)
		}
	}
	_, err = client.Servers.RemoveIPs(ctx, 42, solusvm2.RemoveIPsRequest{IDs: extra})
	fmt.Println(extra, err)
	// Output:
	// [202] <nil>
}

// Operations that this package lacks can be called all the same.
func ExampleClient_Do() {
	client, closePanel := examplePanel(map[string]string{"GET /permissions": "listPermissions.200"})
	defer closePanel()

	var answer struct {
		Data []solusvm2.Ref `json:"data"`
	}
	err := client.Do(context.Background(), http.MethodGet, "/permissions", nil, &answer)
	fmt.Println(answer.Data, err)
	// Output:
	// [{1 get servers} {2 create servers}] <nil>
}

func ExampleUsersService_FindByEmail() {
	client, closePanel := examplePanel(map[string]string{"GET /users": "listUsers.200"})
	defer closePanel()

	user, err := client.Users.FindByEmail(context.Background(), "erika@example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(user.ID, user.BillingUserID)
	// Output:
	// 7 7001
}
