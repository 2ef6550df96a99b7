package solusvm2test_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

// Any HTTP client can use the simulated panel; here it is the one of the standard library.
func Example() {
	panel := solusvm2test.NewPanel(solusvm2test.Options{Timing: solusvm2test.Timing{Create: -1}}) // servers are there at once
	defer panel.Close()
	client := &http.Client{Transport: panel.Transport()}
	owner := panel.AddUser(solusvm2test.User{Email: "ann@example.com", BillingUserID: "1001"})
	order, _ := json.Marshal(map[string]any{
		"name": "web-1.example.com", "plan": solusvm2test.PlanSmall, "location": solusvm2test.LocationAmsterdam, "os": solusvm2test.VersionDebian12, "user": owner,
	})
	req, _ := http.NewRequest(http.MethodPost, panel.URL()+"/api/v1/servers", bytes.NewReader(order))
	req.Header.Set("Authorization", "Bearer "+panel.Token().Reveal())
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()

	server := panel.Servers()[0]
	fmt.Println(resp.StatusCode, server.Name, server.Running, server.MemoryMiB, "MiB", server.IPv4, server.Password)
	// Output:
	// 201 web-1.example.com true 1024 MiB [198.18.0.2] [secret]
}

// An event handler calls the receiver of the program under test, over the network as here, or through any RoundTripper.
func ExamplePanel_AddEventHandler() {
	arrived := make(chan string)
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- fmt.Sprintf("%s: server %s is on %s", r.Method, r.URL.Query().Get("serverId"), r.URL.Query().Get("crHostname"))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	panel := solusvm2test.NewPanel(solusvm2test.Options{Speed: 1000})
	defer panel.Close()
	_, err := panel.AddEventHandler(solusvm2test.EventHandler{
		Name: "addresses", URL: receiver.URL + "/hook", Events: []string{solusvm2test.EventAdditionalIP}, Enabled: true, Parameters: `{"secret":"only an example"}`,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server, _ := panel.AddServer(solusvm2test.Server{Name: "web-1"})
	_, _ = panel.Migrate(server.ID, solusvm2test.NodeFrankfurt) // its addresses change
	fmt.Println(<-arrived)
	// Output:
	// POST: server 101 is on fra-1.solusvm2.test
}
