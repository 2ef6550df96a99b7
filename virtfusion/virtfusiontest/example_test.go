package virtfusiontest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// Any HTTP client can use the simulated panel; here it is the one of the standard library.
func Example() {
	panel := virtfusiontest.NewPanel(virtfusiontest.Options{Timing: virtfusiontest.Timing{Build: -1}}) // builds take no time
	defer panel.Close()
	client := &http.Client{Transport: panel.Transport()}
	post := func(path string, body map[string]any) int {
		b, _ := json.Marshal(body)
		req, _ := http.NewRequest(http.MethodPost, panel.URL()+"/api/v1"+path, bytes.NewReader(b))
		req.Header.Set("Authorization", "Bearer "+panel.Token().Reveal())
		resp, err := client.Do(req)
		if err != nil {
			return 0
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode
	}

	owner := panel.AddUser(virtfusiontest.User{Name: "Ann", Email: "ann@example.com"})
	order := map[string]any{"packageId": virtfusiontest.PackageSmall, "userId": owner, "hypervisorId": virtfusiontest.GroupAmsterdam}
	fmt.Println("create:", post("/servers", order))
	id := panel.Servers()[0].ID
	fmt.Println("build:", post(fmt.Sprintf("/servers/%d/build", id), map[string]any{"operatingSystemId": virtfusiontest.TemplateDebian}))
	server, _ := panel.Server(id)
	fmt.Println(server.State, server.MemoryMB, "MB", server.IPv4, server.RootPassword)
	// Output:
	// create: 201
	// build: 200
	// complete 1024 MB [198.18.0.2] [secret]
}
