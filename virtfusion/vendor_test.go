package virtfusion_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// The vendor's own example bodies are not part of the project. Where the reference folder lies beside it, every leaf of every example must
// arrive in the typed answer.
var vendorBodies = filepath.Join("..", "..", "shared", "reference", "virtfusion-examples")

type wrapped[T any] struct {
	Data T `json:"data"`
}

// vendorAnswers are the examples of the implemented operations, and what they are decoded into.
func vendorAnswers() map[string]any {
	queue := func() any {
		return new(wrapped[struct {
			QueueID virtfusion.QueueID `json:"queueId"`
		}])
	}
	vnc := func() any {
		return new(wrapped[struct {
			VNC     virtfusion.VNC      `json:"vnc"`
			QueueID *virtfusion.QueueID `json:"queueId"`
		}])
	}
	return map[string]any{
		"GET_connect.200":                                                new([]any),
		"GET_compute_hypervisors.200":                                    new(wrapped[[]virtfusion.Hypervisor]),
		"GET_compute_hypervisors_hypervisorId.200":                       new(wrapped[virtfusion.Hypervisor]),
		"GET_compute_hypervisors_groups.200":                             new(wrapped[[]virtfusion.HypervisorGroup]),
		"GET_compute_hypervisors_groups_hypervisorGroupId.200":           new(wrapped[virtfusion.HypervisorGroup]),
		"GET_compute_hypervisors_groups_hypervisorGroupId_resources.200": new(wrapped[[]virtfusion.GroupResources]),
		"GET_media_templates_fromServerPackageSpec_serverPackageId.200":  new(wrapped[[]virtfusion.TemplateGroup]),
		"GET_packages.200":                                               new(wrapped[[]virtfusion.Package]),
		"GET_packages_packageId.200":                                     new(wrapped[virtfusion.Package]),
		"GET_queue_queueId.200":                                          new(wrapped[virtfusion.QueueItem]),
		"GET_servers.200":                                                new(wrapped[[]virtfusion.ServerRow]),
		"GET_servers_serverId.200":                                       new(wrapped[virtfusion.Server]),
		"GET_servers_serverId_templates.200":                             new(wrapped[[]virtfusion.TemplateGroup]),
		"GET_servers_serverId_traffic.200": new(wrapped[struct {
			Monthly []virtfusion.TrafficPeriod `json:"monthly"`
		}]),
		"GET_servers_serverId_vnc.200":                             vnc(),
		"GET_servers_user_userId.200":                              new(wrapped[[]virtfusion.UserServer]),
		"GET_ssh_keys_keyId.200":                                   new(wrapped[virtfusion.SSHKey]),
		"GET_ssh_keys_user_userId.200":                             new(wrapped[[]virtfusion.SSHKey]),
		"GET_users_extRelationId_byExtRelation.200":                new(wrapped[virtfusion.User]),
		"POST_servers.201":                                         new(wrapped[virtfusion.Server]),
		"POST_servers_serverId_build.200":                          new(wrapped[virtfusion.Server]),
		"POST_servers_serverId_power_boot.200":                     queue(),
		"POST_servers_serverId_power_shutdown.200":                 queue(),
		"POST_servers_serverId_power_restart.200":                  queue(),
		"POST_servers_serverId_power_poweroff.200":                 queue(),
		"POST_servers_serverId_resetPassword.200":                  new(wrapped[virtfusion.ServerPasswordReset]),
		"POST_servers_serverId_vnc.200":                            vnc(),
		"POST_ssh_keys.201":                                        new(wrapped[virtfusion.CreatedSSHKey]),
		"POST_users.201":                                           new(wrapped[virtfusion.User]),
		"POST_users_extRelationId_byExtRelation_resetPassword.201": new(wrapped[virtfusion.UserPassword]),
		"PUT_servers_serverId_package_packageId.200": new(struct {
			Info []string `json:"info"`
		}),
		"PUT_users_extRelationId_byExtRelation.201": new(wrapped[virtfusion.UpdatedUser]),

		"POST_servers.request":                           new(virtfusion.CreateServerRequest),
		"POST_servers_serverId_build.request":            new(virtfusion.BuildServerRequest),
		"POST_servers_serverId_resetPassword.request":    new(virtfusion.ResetServerPasswordRequest),
		"POST_ssh_keys.request":                          new(virtfusion.CreateSSHKeyRequest),
		"POST_users.request":                             new(virtfusion.CreateUserRequest),
		"PUT_servers_serverId_package_packageId.request": new(virtfusion.PackageParts),
		"PUT_users_extRelationId_byExtRelation.request":  new(virtfusion.UpdateUserRequest),
	}
}

// pageMembers lie beside data in a page; the ones that are read are tested with the lists.
var pageMembers = []string{"current_page", "first_page_url", "from", "last_page", "last_page_url", "links", "next_page_url",
	"path", "per_page", "prev_page_url", "to", "total"}

func TestEveryLeafOfTheVendorsExamplesArrives(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(vendorBodies); err != nil {
		t.Skip("the reference folder is not beside the project")
	}
	for name, into := range vendorAnswers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(filepath.Join(vendorBodies, name+".json"))
			require.NoError(t, err)
			arrives(t, body, into)
		})
	}
}

func TestEveryLeafOfOurAnswersArrives(t *testing.T) {
	t.Parallel()
	ours := map[string]any{
		"getServer.200": new(wrapped[virtfusion.Server]), "createServer.201": new(wrapped[virtfusion.Server]), "buildServer.200": new(wrapped[virtfusion.Server]),
		"listServers.200": new(wrapped[[]virtfusion.ServerRow]), "listUserServers.200": new(wrapped[[]virtfusion.UserServer]),
		"listPackageTemplates.200": new(wrapped[[]virtfusion.TemplateGroup]), "listPackages.200": new(wrapped[[]virtfusion.Package]),
		"listHypervisorGroups.200": new(wrapped[[]virtfusion.HypervisorGroup]), "listHypervisorGroupResources.200": new(wrapped[[]virtfusion.GroupResources]),
		"listHypervisors.200": new(wrapped[[]virtfusion.Hypervisor]), "getQueueItem.200": new(wrapped[virtfusion.QueueItem]),
		"listUserSshKeys.200": new(wrapped[[]virtfusion.SSHKey]), "createUser.201": new(wrapped[virtfusion.User]),
	}
	for name, into := range ours {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrives(t, fixture(t, name), into)
		})
	}
}

func TestTheVendorsRefusalIsRead(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(filepath.Join(vendorBodies, "POST_servers.422.json"))
	if err != nil {
		t.Skip("the reference folder is not beside the project")
	}
	c, _ := newClient(t, answer{status: 422, body: body})
	_, err = c.Servers.Create(t.Context(), virtfusion.CreateServerRequest{PackageID: 1, UserID: 1, HypervisorGroupID: 1})
	require.ErrorIs(t, err, provisioning.Invalid)
	assert.ErrorContains(t, err, "Invalid or disabled firewall ruleset")
}

// arrives decodes body, writes it again and reports each leaf that got lost or changed.
func arrives(t *testing.T, body []byte, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(body, into))
	again, err := json.Marshal(into)
	require.NoError(t, err)
	in, out := parse(t, body), parse(t, again)
	if object, ok := in.(map[string]any); ok && object["current_page"] != nil {
		maps.DeleteFunc(object, func(k string, _ any) bool { return slices.Contains(pageMembers, k) })
	}
	for _, problem := range lost("", in, out) {
		t.Error(problem)
	}
}

func parse(t *testing.T, body []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	return v
}

// lost lists the leaves of in that are missing or different in out.
func lost(path string, in, out any) []string {
	var problems []string
	switch in := in.(type) {
	case map[string]any:
		other, ok := out.(map[string]any)
		if !ok && len(in) > 0 {
			return []string{fmt.Sprintf("%s: an object became %T", path, out)}
		}
		for k, v := range in {
			if _, known := other[k]; !known {
				problems = append(problems, fmt.Sprintf("%s.%s: there is no such member", path, k))
				continue
			}
			problems = append(problems, lost(path+"."+k, v, other[k])...)
		}
	case []any:
		other, ok := out.([]any)
		if len(in) > 0 && (!ok || len(other) != len(in)) {
			return []string{fmt.Sprintf("%s: a list of %d became %T of %d", path, len(in), out, len(other))}
		}
		for i, v := range in {
			problems = append(problems, lost(fmt.Sprintf("%s[%d]", path, i), v, other[i])...)
		}
	default:
		if !sameLeaf(in, out) {
			return []string{fmt.Sprintf("%s: %T %v became %T %v", path, in, in, out, out)}
		}
	}
	return problems
}

// sameLeaf compares after what PHP does to values:
//   - null is the zero value of whatever is expected
//   - numbers come as text
//   - booleans come as 0 and 1
//   - times come in three formats
func sameLeaf(in, out any) bool {
	if in == nil {
		switch out {
		case nil, "", false, json.Number("0"):
			return true
		}
		return false
	}
	a, b := fmt.Sprint(in), fmt.Sprint(out)
	if a == b {
		return true
	}
	if flag, ok := out.(bool); ok {
		return a == "1" && flag || a == "0" && !flag
	}
	before, ok := readTime(a)
	after, err := time.Parse(time.RFC3339Nano, b)
	return ok && err == nil && before.Equal(after)
}

func readTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, time.DateTime} {
		if v, err := time.Parse(layout, s); err == nil {
			return v, true
		}
	}
	return time.Time{}, false
}

func TestTheComparisonOfLeavesNoticesALoss(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in, out string
		same    bool
	}{
		"a missing member":      {`{"a":{"b":1}}`, `{"a":{}}`, false},
		"a lost false":          {`{"a":false}`, `{}`, false},
		"a lost null":           {`{"a":null}`, `{}`, false},
		"another number":        {`{"a":1}`, `{"a":2}`, false},
		"a large number":        {`{"a":9007199254740993}`, `{"a":9007199254740992}`, false},
		"a shorter list":        {`[1,2]`, `[1]`, false},
		"an object for a list":  {`[1]`, `{"0":1}`, false},
		"a shifted time":        {`["2026-01-01T00:00:00+00:00"]`, `["2026-01-01T01:00:00Z"]`, false},
		"null that became text": {`[null]`, `["x"]`, false},
		"a flag turned around":  {`[0]`, `[true]`, false},
		"null":                  {`[null,null,null]`, `["",0,false]`, true},
		"an empty object":       {`{"a":[]}`, `{"a":{}}`, true},
		"number as text":        {`["852"]`, `[852]`, true},
		"0 and 1":               {`[0,1]`, `[false,true]`, true},
		"times": {`["2026-01-01T00:00:00.500000Z","2026-01-01 00:00:00","2026-01-01T02:00:00+02:00"]`,
			`["2026-01-01T00:00:00.5Z","2026-01-01T00:00:00Z","2026-01-01T00:00:00Z"]`, true},
		"more than was sent": {`{}`, `{"a":1}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.same, len(lost("", parse(t, []byte(c.in)), parse(t, []byte(c.out)))) == 0)
		})
	}
}
