package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

const good = `{"key": "web-1", "hostname": "web-1.example.com", "plan": "VPS M", "image": "Debian", "owner": {"ref": "1"}, "ipv4": 1, "ipv6": true, "ospab": {"userId": 5}}`

// with replaces a part of the good order.
func with(old, replacement string) string { return strings.Replace(good, old, replacement, 1) }

func TestMistakesInAnOrderFileNameTheOrderAndTheField(t *testing.T) {
	t.Parallel()
	second := strings.Replace(good, `"web-1"`, `"web-2"`, 1)
	for name, c := range map[string]struct{ file, want string }{
		"an empty file":                {"", `order 1: the JSON ends too early`},
		"no order":                     {"[]", `holds no order`},
		"a number":                     {"5", `order 1: must be a JSON object`},
		"a number in the array":        {"[" + good + ", 5]", `order 2: must be a JSON object`},
		"half a file":                  {good[:60], `order 1 ("web-1"): the JSON ends too early`},
		"half an array":                {"[" + good, `the JSON ends too early`},
		"no JSON":                      {"key: web-1", `order 1: the JSON is wrong: invalid character 'k' looking for beginning of value`},
		"text after the order":         {good + " x", `order 1 ("web-1"): something follows after the end of the JSON`},
		"text after the array":         {"[" + good + "] []", `something follows after the end of the JSON`},
		"two orders without array":     {good + good, `order 1 ("web-1"): something follows after the end of the JSON`},
		"an unknown field":             {with(`"plan"`, `"colour": "red", "plan"`), `order 1 ("web-1"): colour: there is no such field`},
		"an unknown field of owner":    {with(`"ref"`, `"phone": "1", "ref"`), `order 1 ("web-1"): owner.phone: there is no such field`},
		"an unknown field of ospab":    {with(`"userId"`, `"user_id"`), `order 1 ("web-1"): ospab.user_id: there is no such field`},
		"a field twice":                {with(`"plan"`, `"key": "web-2", "plan"`), `order 1 ("web-1"): key: is there twice`},
		"a field twice in other case":  {with(`"plan"`, `"Plan": "x", "plan"`), `order 1 ("web-1"): plan: is there twice`},
		"a text for a number":          {with(`"ipv4": 1`, `"ipv4": "1"`), `order 1 ("web-1"): ipv4: must be a whole number, and not the JSON string`},
		"a fraction":                   {with(`"ipv4": 1`, `"ipv4": 1.5`), `order 1 ("web-1"): ipv4: must be a whole number, and not the JSON number 1.5`},
		"a number for a text":          {with(`"ref": "1"`, `"ref": 1`), `order 1 ("web-1"): owner.ref: must be a string, and not the JSON number`},
		"a text for a switch":          {with(`"ipv6": true`, `"ipv6": "yes"`), `order 1 ("web-1"): ipv6: must be true or false, and not the JSON string`},
		"a text for a list":            {with(`"ipv6": true`, `"sshKeys": "ssh-ed25519 AAAA"`), `order 1 ("web-1"): sshKeys: must be an array, and not the JSON string`},
		"a text for an object":         {with(`{"ref": "1"}`, `"1"`), `order 1 ("web-1"): owner: must be an object, and not the JSON string`},
		"a text for a user id":         {with(`5`, `"5"`), `order 1 ("web-1"): ospab.userId: must be a whole number, and not the JSON string`},
		"memory without a unit":        {with(`"ipv6": true`, `"memory": 8`), `order 1 ("web-1"): memory: must be a size with its unit such as "2GiB", and not the JSON number`},
		"memory without a unit, text":  {with(`"ipv6": true`, `"memory": "8"`), `order 1 ("web-1"): memory: "8" is not a size: write a number with its unit, such as 512MiB or 20GiB`},
		"no memory at all":             {with(`"ipv6": true`, `"memory": "0GiB"`), `order 1 ("web-1"): memory: must be above zero`},
		"a key that is none":           {with(`"web-1"`, `"Web 1"`), `order 1 ("Web 1"): key: must be 1 to 40 characters of a-z, 0-9 and -`},
		"a key that is a number":       {with(`"web-1"`, `1`), `order 1: key: must be a string, and not the JSON number`},
		"a bad host name":              {with(`web-1.example.com`, `-bad-`), `order 1 ("web-1"): hostname: must be labels of 1 to 63 letters, digits and inner hyphens, joined by dots`},
		"a missing plan":               {with(`"plan": "VPS M",`, ``), `order 1 ("web-1"): plan: is missing`},
		"five addresses":               {with(`"ipv4": 1`, `"ipv4": 5`), `order 1 ("web-1"): ipv4: must be 0 to 4`},
		"the same key twice":           {"[" + good + "," + second + "," + good + "]", `order 3 ("web-1"): key: order 1 has the same`},
		"the mistake is in the second": {"[" + good + "," + strings.Replace(second, "true", "1", 1) + "]", `order 2 ("web-2"): ipv6: must be true or false, and not the JSON number`},
		"one owner with two users":     {"[" + good + "," + strings.Replace(second, "5", "6", 1) + "]", `order 2 ("web-2"): ospab.userId: another order of the same owner says 5`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "order.json")
			require.NoError(t, os.WriteFile(file, []byte(c.file), 0o600))
			got := start(t.Context(), "-order", file)
			assert.Equal(t, exitUsage, got.code)
			assert.Equal(t, "provision: "+file+": "+c.want+"\n", got.stderr)
			assert.Empty(t, got.stdout)
		})
	}
}

func TestAnOSPABUserIsNeededOnlyWhereAnOSPABPanelIsDriven(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "order.json")
	require.NoError(t, os.WriteFile(file, []byte(with(`, "ospab": {"userId": 5}`, ``)), 0o600))
	got := start(t.Context(), "-order", file)
	assert.Equal(t, exitUsage, got.code)
	assert.Equal(t, "provision: order 1 (\"web-1\"): ospab.userId: must be the customer's user id on the OSPAB panel, which is not the main site's\n", got.stderr)
}

func TestTheExampleFilesAreRead(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		one, err := readOrders(k.order)
		require.NoError(t, err)
		require.Len(t, one, 1)
		assert.Equal(t, k.image, one[0].Image)
		assert.Equal(t, provisioning.Some(4*provisioning.GiB), one[0].Memory)
		assert.Equal(t, provisioning.Owner{Ref: "123", Name: "Ann Example", Email: "ann@example.com"}, one[0].Owner)
		assert.Len(t, one[0].SSHKeys, 1)
		three, err := readOrders(k.orders)
		require.NoError(t, err)
		assert.Len(t, three, 3)
	})
}

func FuzzParseOrders(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("[" + good + "]"))
	f.Add([]byte(`{"key": {}, "owner": []}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		orders, err := parseOrders(b)
		if (err == nil) != (len(orders) > 0) {
			t.Fatalf("%d orders, error %v", len(orders), err)
		}
		for _, o := range orders {
			if err := o.Validate(); err != nil {
				t.Errorf("an invalid order was accepted: %v", err)
			}
		}
	})
}
