package opdoc_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/internal/opdoc"
)

const source = `package panel

// Get reads a server.
//
// Class: read.
// API: GET /servers/{id}
func Get() {}

// Create makes one.
//
// API: POST /servers
func Create() {}

// Restart restarts one.
//
// Class: perhaps.
// API: POST /servers/{id}/restart
func Restart() {}

// RestartAll restarts all of them.
//
// Class: once.
// API: POST /servers/all/restart
func RestartAll() {}

// Attach attaches addresses.
//
// Class: set, but once with a Quantity.
// API: POST /servers/{id}/ips
func Attach() {}
`

func read(t *testing.T) []opdoc.Operation {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "panel.go"), []byte(source), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "panel_test.go"), []byte("// API: GET /not/an/operation\n"), 0o600))
	all, err := opdoc.Read(folder)
	require.NoError(t, err)
	return all
}

func TestReadFindsEachOperationWithItsClass(t *testing.T) {
	t.Parallel()
	var got []string
	for _, op := range read(t) {
		assert.Equal(t, "panel.go", filepath.Base(op.File))
		got = append(got, op.Name+": "+op.Class)
	}
	assert.Equal(t, []string{
		"GET /servers/{id}: read", "POST /servers: ", "POST /servers/{id}/restart: ", "POST /servers/all/restart: once", "POST /servers/{id}/ips: set, but once with a Quantity",
	}, got)
	_, err := opdoc.Read(t.TempDir())
	require.Error(t, err, "a folder without operations proves nothing")
}

func TestFindKnowsTheOperationOfARequest(t *testing.T) {
	t.Parallel()
	all := read(t)
	for request, want := range map[string]string{
		"GET /servers/42": "GET /servers/{id}", "POST /servers/42/restart": "POST /servers/{id}/restart", "POST /servers/all/restart": "POST /servers/all/restart",
		"DELETE /servers/42": "", "GET /servers/42/disks": "", "GET /servers/": "",
	} {
		got := ""
		if i := opdoc.Find(all, request); i >= 0 {
			got = all[i].Name
		}
		assert.Equal(t, want, got, request)
	}
}

func TestWrongTellsWhatTheCommentsDoNotTell(t *testing.T) {
	t.Parallel()
	ops := []opdoc.Operation{{Name: "GET /a", Class: "read"}, {Name: "POST /b/{id}", Class: "set, but once with a Quantity"}}
	right := map[string]string{"GET /a": "read", "POST /b/1": "set", "POST /b/2": "once"}
	assert.Empty(t, opdoc.Wrong(ops, right))
	for name, proven := range map[string]map[string]string{
		"another class": {"GET /a": "once", "POST /b/1": "set", "POST /b/2": "once"}, "one class of two": {"GET /a": "read", "POST /b/1": "set"},
		"no request": {"POST /b/1": "set", "POST /b/2": "once"}, "an unknown request": {"GET /a": "read", "POST /b/1": "set", "POST /b/2": "once", "GET /c": "read"},
	} {
		assert.Len(t, opdoc.Wrong(ops, proven), 1, name)
	}
	assert.Len(t, opdoc.Wrong([]opdoc.Operation{{Name: "GET /a"}}, map[string]string{"GET /a": "read"}), 1, "no class at all")
}
