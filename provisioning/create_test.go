package provisioning_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestAnOrderIsCheckedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63)
	for name, c := range map[string]struct {
		change func(*provisioning.CreateRequest)
		want   string // "" for a good order
	}{
		"as it should be":         {func(*provisioning.CreateRequest) {}, ""},
		"every field":             {func(r *provisioning.CreateRequest) { *r = fullOrder() }, ""},
		"no key":                  {func(r *provisioning.CreateRequest) { r.Key = "" }, "key: must be 1 to 40 characters of a-z, 0-9 and -"},
		"a key of 41 characters":  {func(r *provisioning.CreateRequest) { r.Key = strings.Repeat("k", 41) }, "key: must be"},
		"a key of 40 characters":  {func(r *provisioning.CreateRequest) { r.Key = strings.Repeat("k", 40) }, ""},
		"a key in capitals":       {func(r *provisioning.CreateRequest) { r.Key = "Order-1" }, "key: must be"},
		"a key with a line break": {func(r *provisioning.CreateRequest) { r.Key = "order-1\n" }, "key: must be"},
		"no hostname":             {func(r *provisioning.CreateRequest) { r.Hostname = "" }, "hostname: is missing"},
		"a hostname of 253":       {func(r *provisioning.CreateRequest) { r.Hostname = long + "." + long + "." + long + "." + long[:61] }, ""},
		"a hostname of 254": {func(r *provisioning.CreateRequest) { r.Hostname = long + "." + long + "." + long + "." + long[:62] },
			"hostname: must be at most 253"},
		"a label of 64":              {func(r *provisioning.CreateRequest) { r.Hostname = long + "a.net" }, "hostname: must be labels"},
		"a hostname with underscore": {func(r *provisioning.CreateRequest) { r.Hostname = "a_b.net" }, "hostname: must be labels"},
		"a hostname with a dot last": {func(r *provisioning.CreateRequest) { r.Hostname = "example.net." }, "hostname: must be labels"},
		"a label with hyphen first":  {func(r *provisioning.CreateRequest) { r.Hostname = "-a.net" }, "hostname: must be labels"},
		"a label of one letter":      {func(r *provisioning.CreateRequest) { r.Hostname = "a" }, ""},
		"no plan":                    {func(r *provisioning.CreateRequest) { r.Plan = " " }, "plan: is missing"},
		"no image":                   {func(r *provisioning.CreateRequest) { r.Image = "" }, "image: is missing"},
		"no owner":                   {func(r *provisioning.CreateRequest) { r.Owner.Ref = "" }, "owner.ref: is missing"},
		"five IPv4":                  {func(r *provisioning.CreateRequest) { r.IPv4 = 5 }, "ipv4: must be 0 to 4"},
		"minus one IPv4":             {func(r *provisioning.CreateRequest) { r.IPv4 = -1 }, "ipv4: must be 0 to 4"},
		"four IPv4":                  {func(r *provisioning.CreateRequest) { r.IPv4 = 4 }, ""},
		"memory of nothing":          {func(r *provisioning.CreateRequest) { r.Memory = provisioning.Some(provisioning.Bytes(0)) }, "memory: must be above zero"},
		"a disk of less":             {func(r *provisioning.CreateRequest) { r.Disk = provisioning.Some(provisioning.Bytes(-1)) }, "disk: must be above zero"},
		"no vcpus":                   {func(r *provisioning.CreateRequest) { r.VCPUs = provisioning.Some(0) }, "vcpus: must be above zero"},
		"a key without its type":     {func(r *provisioning.CreateRequest) { r.SSHKeys = []string{"AAAAC3Nza"} }, "sshKeys: each must be one line"},
		"two SSH keys in one": {func(r *provisioning.CreateRequest) { r.SSHKeys = []string{"ssh-ed25519 AAAA a\nssh-ed25519 BBBB b"} },
			"sshKeys: each must be one line"},
	} {
		r := order("order-1")
		c.change(&r)
		err := r.Validate()
		if c.want == "" {
			assert.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, provisioning.Invalid, name)
		require.ErrorContains(t, err, c.want, name)
	}
}

func fullOrder() provisioning.CreateRequest {
	return provisioning.CreateRequest{
		Key: "order-1", Hostname: "vps1.example.net", Plan: "3", Image: "12", Location: "2", Owner: provisioning.Owner{Ref: "7", Name: "Ann", Email: "ann@example.net"},
		SSHKeys: []string{"ssh-ed25519 AAAAC3Nza ann@laptop"}, IPv4: 1, IPv6: true,
		Memory: provisioning.Some(2 * provisioning.GiB), Disk: provisioning.Some(20 * provisioning.GiB), VCPUs: provisioning.Some(2),
	}
}

func TestAnOrderIsPlainJSONWithUnits(t *testing.T) {
	t.Parallel()
	r := fullOrder()
	b, err := json.Marshal(r)
	require.NoError(t, err)
	var back provisioning.CreateRequest
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, r, back)
	assert.Contains(t, string(b), `"memory":"2GiB","disk":"20GiB"`)
	b, err = json.Marshal(order("order-1"))
	require.NoError(t, err)
	assert.NotContains(t, string(b), "memory", "what the plan says is left to the plan")
}
