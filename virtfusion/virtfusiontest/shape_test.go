package virtfusiontest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vendorExamples is the reference folder with the vendor's own bodies, when present.
const vendorExamples = "../../../shared/reference/virtfusion-examples"

// members lists every path of a document with the kind of its value: ".data.network.interfaces[].tag number". Bodies of free form are left out.
func members(path string, v any, into map[string]map[string]bool) {
	add := func(kind string) {
		if into[path] == nil {
			into[path] = map[string]bool{}
		}
		into[path][kind] = true
	}
	for _, free := range []string{".primaryActions[].data", ".settings.config", ".qemuAgent.os", ".payload", ".data[].os"} {
		if strings.HasSuffix(path, free) {
			return
		}
	}
	switch v := v.(type) {
	case map[string]any:
		add("object")
		for name, value := range v {
			members(path+"."+name, value, into)
		}
	case []any:
		add("array")
		for _, value := range v {
			members(path+"[]", value, into)
		}
	case nil:
		add("null")
	default:
		add(fmt.Sprintf("%T", v))
	}
}

// TestAnswersHaveTheMembersOfTheVendorsExamples compares shapes, not values: what the vendor shows we have, with a kind that the vendor
// shows or null, and we show no more.
func TestAnswersHaveTheMembersOfTheVendorsExamples(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(vendorExamples); err != nil {
		t.Skip("the reference folder is not present")
	}
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, WithVersion(V70))
		ann := a.p.AddUser(User{Name: "Ann", Email: "ann@example.com", ExtRelationID: 7})
		key := int64(dig(a.want(201, "POST", "/ssh_keys", obj{"userId": ann, "name": "k", "publicKey": "ssh-ed25519 AAAA"}), "data", "id").(float64))
		order := obj{"packageId": PackageLarge, "userId": ann, "hypervisorId": GroupAmsterdam, "networkSpeedInbound": 200}
		made := a.want(201, "POST", "/servers", order)
		id := int64(dig(made, "data", "id").(float64))
		building := a.want(200, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian, "ipv6": true, "sshKeys": []int64{key}, "hostname": "a.example"})
		time.Sleep(23 * time.Second)
		a.p.AddBackup(id)
		for _, tt := range []struct {
			file string
			got  obj
			// more are members that we show and the example does not, less those that the example shows and we do not
			more, less []string
		}{
			{"POST_servers.201.json", made, []string{".data.network.secondaryInterfaces"}, []string{".data.hypervisor.resources.otherStorage"}},
			{"POST_servers_serverId_build.200.json", building, []string{
				".data.network.interfaces[].ipv6", ".data.network.secondaryInterfaces", ".data.sshKeys", ".data.storage", ".data.tasks.actions.pending",
			}, []string{".data.network.interfaces[].ipWhitelist"}},
			{"GET_servers_serverId.200.json", a.get(serverPath(id, "")), []string{".data.os", ".data.storage"}, []string{".data.network.secondaryInterfaces[].ipv6"}},
			{"GET_servers.200.json", a.get("/servers"), nil, nil},
			{"GET_servers_user_userId.200.json", a.get(fmt.Sprintf("/servers/user/%d", ann)), []string{".data[].network.interfaces[].ipv6"}, nil},
			{"GET_servers_serverId_templates.200.json", a.get(serverPath(id, "/templates")), nil, nil},
			{"GET_servers_serverId_traffic.200.json", a.get(serverPath(id, "/traffic")), nil, []string{".data.monthly[].blocks"}},
			{"GET_servers_serverId_vnc.200.json", a.get(serverPath(id, "/vnc")), nil, nil},
			{"POST_servers_serverId_vnc.200.json", a.want(200, "POST", serverPath(id, "/vnc"), obj{"action": "enable"}), nil, nil},
			{"GET_packages.200.json", a.get("/packages"), nil, nil},
			{"GET_packages_packageId.200.json", a.get("/packages/1"), nil, nil},
			{"GET_media_templates_fromServerPackageSpec_serverPackageId.200.json", a.get("/media/templates/fromServerPackageSpec/1"), nil, nil},
			{"GET_compute_hypervisors.200.json", a.get("/compute/hypervisors"), nil, nil},
			{"GET_compute_hypervisors_hypervisorId.200.json", a.get("/compute/hypervisors/11"), nil, nil},
			{"GET_compute_hypervisors_groups.200.json", a.get("/compute/hypervisors/groups"), nil, nil},
			{"GET_compute_hypervisors_groups_hypervisorGroupId.200.json", a.get("/compute/hypervisors/groups/61"), nil, nil},
			{"GET_compute_hypervisors_groups_hypervisorGroupId_resources.200.json", a.get("/compute/hypervisors/groups/61/resources"), nil, []string{
				".data[].resources.otherStorage",
			}},
			{"GET_queue_queueId.200.json", a.get("/queue/1001"), nil, nil},
			{"GET_backups_server_serverId.200.json", a.get(fmt.Sprintf("/backups/server/%d", id)), nil, nil},
			{"POST_servers_serverId_resetPassword.200.json", a.want(200, "POST", serverPath(id, "/resetPassword"), obj{"user": "root"}), nil, nil},
			{"GET_ssh_keys_keyId.200.json", a.get(fmt.Sprintf("/ssh_keys/%d", key)), nil, nil},
			{"GET_ssh_keys_user_userId.200.json", a.get(fmt.Sprintf("/ssh_keys/user/%d", ann)), nil, nil},
			{"POST_ssh_keys.201.json", a.want(201, "POST", "/ssh_keys", obj{"userId": ann, "name": "k", "publicKey": "ssh-rsa AAAA"}), nil, nil},
			{"POST_users.201.json", a.want(201, "POST", "/users", obj{"name": "Bob", "email": "bob@example.com"}), nil, nil},
			{"GET_users_extRelationId_byExtRelation.200.json", a.get("/users/7/byExtRelation"), nil, nil},
			{"PUT_users_extRelationId_byExtRelation.201.json", a.want(201, "PUT", "/users/7/byExtRelation", obj{}), nil, nil},
			{"POST_users_extRelationId_byExtRelation_resetPassword.201.json", a.want(201, "POST", "/users/7/byExtRelation/resetPassword", nil), nil, nil},
		} {
			assert.Equal(t, []string(nil), compare(t, tt.file, tt.got, tt.more, tt.less), tt.file)
		}
	})
}

func compare(t *testing.T, file string, got obj, more, less []string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vendorExamples, file)) // #nosec G304 -- a fixed list
	require.NoError(t, err)
	var example any
	require.NoError(t, json.Unmarshal(b, &example))
	want, have := map[string]map[string]bool{}, map[string]map[string]bool{}
	members("", example, want)
	members("", got, have)
	below := func(path string, roots []string) bool {
		return slices.ContainsFunc(roots, func(root string) bool { return strings.HasPrefix(path, root) })
	}
	var wrong []string
	for path, kinds := range want {
		if have[path] == nil && !below(path, less) {
			wrong = append(wrong, "missing "+path)
		}
		for kind := range have[path] {
			if !kinds[kind] && kind != "null" && !kinds["null"] && !below(path, more) {
				wrong = append(wrong, fmt.Sprintf("%s is %s here", path, kind))
			}
		}
	}
	for path := range have {
		if want[path] == nil && !below(path, more) {
			wrong = append(wrong, "invented "+path)
		}
	}
	sort.Strings(wrong)
	return wrong
}
