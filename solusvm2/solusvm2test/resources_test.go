package solusvm2test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPagesHoldEveryServerOnceAndTheirLinksAreOfNoUse(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for range 120 {
		a.foreign(Server{})
	}
	seen := map[int64]bool{}
	for number := 1; number <= 3; number++ {
		got := a.get(fmt.Sprintf("/servers?page=%d&filter[virtualization_type]=kvm", number))
		for _, id := range ids(got) {
			assert.False(t, seen[id])
			seen[id] = true
		}
		meta := got["meta"].(obj)
		assert.Equal(t, []any{float64(number), 3.0, 50.0, 120.0}, []any{meta["current_page"], meta["last_page"], meta["per_page"], meta["total"]})
		assert.Equal(t, "http://10.20.0.6/api/v1/servers", meta["path"], "an address of the panel's own network")
		assert.Equal(t, "http://10.20.0.6/api/v1/servers?page=1", dig(got, "links", "first"), "the filter is forgotten")
	}
	assert.Len(t, seen, 120)
	first, last := a.get("/servers"), a.get("/servers?page=3")
	assert.Nil(t, dig(first, "links", "prev"))
	assert.Equal(t, "http://10.20.0.6/api/v1/servers?page=2", dig(first, "links", "next"))
	assert.Nil(t, dig(last, "links", "next"))
	assert.EqualValues(t, []any{101.0, 120.0}, []any{dig(last, "meta", "from"), dig(last, "meta", "to")})
	beyond := a.get("/servers?page=9")
	assert.Equal(t, []any{}, beyond["data"])
	assert.Nil(t, dig(beyond, "meta", "from"))
	assert.Len(t, ids(a.get("/servers?per_page=100")), 100)
	assert.Equal(t, "100", dig(a.get("/servers?per_page=100"), "meta", "per_page"), "as text")
	for _, query := range []string{"page=0", "page=x", "per_page=0", "per_page=101", "per_page=x"} {
		assert.Len(t, ids(a.get("/servers?"+query)), 50, query)
	}
	for _, list := range []string{"/permissions", fmt.Sprintf("/os_images/%d/versions", ImageUbuntu), fmt.Sprintf("/compute_resources/%d/storages", NodeAmsterdam1)} {
		got := a.get(list)
		assert.NotEmpty(t, got["data"], list)
		assert.NotContains(t, got, "meta", list)
		assert.NotContains(t, got, "links", list)
	}
}

func TestRowsOfListsLackWhatTakesLongToCollect(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	s := a.foreign(Server{Name: "web", Description: "order-1"})
	for _, list := range []string{"/servers", fmt.Sprintf("/projects/%d/servers", s.ProjectID)} {
		row := dig(a.get(list), "data", 0)
		assert.Equal(t, []any{"web", "order-1", s.UUID, "started"}, []any{dig(row, "name"), dig(row, "description"), dig(row, "uuid"), dig(row, "status")})
		assert.NotContains(t, row, "ip_addresses")
		assert.NotContains(t, row, "settings")
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.p.AddUser(User{Email: "ann@example.com"})
	a.p.AddUser(User{Email: "joann@example.com.br", Admin: true})
	web := a.foreign(Server{UserID: ann, Name: "web"})
	box := a.foreign(Server{LocationID: LocationFrankfurt, PlanID: PlanStorage})
	a.want(200, "POST", serverPath(web.ID, "/restart"), nil)
	a.want(200, "POST", serverPath(box.ID, "/stop"), nil)
	key := id(a.want(201, "POST", "/ssh_keys", obj{"name": "Laptop", "body": aKey, "user_id": ann}))
	a.want(200, "PATCH", fmt.Sprintf("/users/%d", ann), obj{"status": "locked"})
	a.want(200, "PUT", "/ip_blocks/201", with(a.get("/ip_blocks/201")["data"].(obj), obj{"name": "renamed", "compute_resources": []int64{NodeAmsterdam1}}))
	for path, want := range map[string][]int64{
		fmt.Sprintf("/servers?filter[user_id]=%d", ann):                       {web.ID},
		fmt.Sprintf("/servers?filter[compute_resource_id]=%d", NodeFrankfurt): {box.ID},
		"/servers?filter[status]=processing":                                  {box.ID},
		"/servers?filter[status]=started":                                     {web.ID},
		"/servers?filter[virtualization_type]=vz":                             {box.ID},
		"/servers?filter[user_id]=99":                                         {},
		"/tasks?filter[action]=vm-stop":                                       {1002},
		"/tasks?filter[status]=pending":                                       {1001, 1002},
		"/tasks?filter[status]=done":                                          {},
		fmt.Sprintf("/tasks?filter[compute_resource_id]=%d", NodeFrankfurt):   {1002},
		fmt.Sprintf("/tasks?filter[compute_resource_vm_id]=%d", web.ID):       {1001},
		"/plans?filter[search]=vps%20s":                                       {PlanSmall},
		"/plans?filter[storage_type]=vz":                                      {PlanStorage},
		"/plans?filter[image_format]=ploop":                                   {PlanStorage},
		"/plans?filter[disk]=160":                                             {PlanLarge},
		"/users?filter[search]=ann@example.com":                               {2, 3},
		"/users?filter[status]=locked":                                        {2},
		fmt.Sprintf("/users?filter[role_id]=%d", RoleAdmin):                   {1, 3},
		"/compute_resources?filter[search]=FRA":                               {NodeFrankfurt},
		"/locations?filter[search]=dam":                                       {LocationAmsterdam},
		"/projects?filter[search]=default":                                    {501, 502, 503},
		"/ip_blocks?filter[search]=renamed":                                   {201},
		"/os_images?filter[search]=debian":                                    {ImageDebian},
		"/ssh_keys?filter[search]=lap":                                        {key},
		"/activity_logs?filter[event]=ip_block_changed":                       {1},
		"/activity_logs?filter[user_id]=1":                                    {1},
		fmt.Sprintf("/activity_logs?filter[user_id]=%d", ann):                 {},
		"/servers?filter[nonsense]=1":                                         {web.ID, box.ID},
	} {
		assert.Equal(t, want, ids(a.get(path)), path)
	}
}

func TestPlansAreKept(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	body := obj{
		"name": "XL", "virtualization_type": "kvm", "storage_type": "lvm", "image_format": "raw", "params": obj{"disk": 200, "ram": "17179869184", "vcpu": 8, "swap": 0},
		"limits": obj{
			"network_incoming_traffic": obj{"is_enabled": true, "limit": 2, "unit": "TiB"}, "disk_iops": obj{"is_enabled": true, "limit": 1000, "unit": "iops"},
		},
		"is_default": true, "is_visible": false, "tokens_per_month": 9.5, "available_locations": []int64{LocationFrankfurt}, "netfilter": obj{"value": "stateful"},
	}
	made := a.want(201, "POST", "/plans", body)
	path := fmt.Sprintf("/plans/%d", id(made))
	assert.Equal(t, made, a.get(path))
	assert.EqualValues(t, 16<<30, dig(made, "data", "params", "ram"))
	assert.Equal(t, []any{1000.0, 100.0, 4.0}, []any{dig(made, "data", "params", "vcpu_units"), dig(made, "data", "params", "vcpu_limit"), dig(made, "data", "params", "io_priority")})
	assert.Equal(t, obj{"is_enabled": true, "limit": 2.0, "unit": "TiB"}, dig(made, "data", "limits", "network_incoming_traffic"))
	assert.Equal(t, obj{"is_enabled": false, "limit": 0.0, "unit": "Kbps"}, dig(made, "data", "limits", "network_outgoing_bandwidth"))
	assert.Equal(t, "9.50000", dig(made, "data", "price", "per_month"), "text")
	assert.Equal(t, "Frankfurt", dig(made, "data", "available_locations", 0, "name"), "objects, though ids were sent")
	a.want(422, "POST", "/servers", with(nodeOrder(), obj{"plan": id(made)}))
	a.want(201, "POST", "/servers", with(nodeOrder(), obj{"plan": id(made), "location": LocationFrankfurt}))

	changed := a.want(200, "PUT", path, obj{
		"name": "XXL", "params": obj{"ram": 1 << 40}, "limits": obj{
			"disk_iops": obj{"limit": 5}, "network_incoming_traffic": obj{"is_enabled": false},
		},
	})
	assert.Equal(t, []any{"XXL", float64(16 << 30)}, []any{dig(changed, "data", "name"), dig(changed, "data", "params", "ram")}, "sizes stay")
	assert.Equal(t, 1000.0, dig(changed, "data", "limits", "disk_iops", "limit"), "so do the limits of the disk")
	assert.Equal(t, obj{"is_enabled": false, "limit": 2.0, "unit": "TiB"}, dig(changed, "data", "limits", "network_incoming_traffic"))
	assert.Equal(t, true, dig(a.want(200, "PATCH", fmt.Sprintf("/plans/%d", PlanSmall), obj{"is_default": true, "position": 3}), "data", "is_default"))
	assert.Equal(t, false, dig(a.get(path), "data", "is_default"), "there is one")
	a.want(204, "DELETE", fmt.Sprintf("/plans/%d", PlanMedium), nil)
	a.want(204, "DELETE", "/plans", obj{"ids": []int64{PlanLarge, PlanHidden}})
	a.want(404, "GET", fmt.Sprintf("/plans/%d", PlanLarge), nil)
}

func TestLocationsAndImagesAreKept(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	made := a.want(201, "POST", "/locations", obj{"name": "Oslo", "compute_resources": []int64{NodeFrankfurt}, "available_plans": []int64{PlanSmall}})
	location := id(made)
	path := fmt.Sprintf("/locations/%d", location)
	assert.Equal(t, "fra-1", dig(made, "data", "compute_resources", 0, "name"))
	assert.Equal(t, []any{obj{"id": float64(PlanSmall), "name": "VPS S"}}, dig(made, "data", "available_plans"))
	a.want(201, "POST", "/servers", with(nodeOrder(), obj{"location": location}))
	a.want(422, "POST", "/servers", with(nodeOrder(), obj{"location": location, "plan": PlanMedium}))
	a.want(201, "POST", "/servers", with(nodeOrder(), obj{"plan": PlanSmall}))
	assert.Equal(t, "Bergen", dig(a.want(200, "PUT", path, obj{"name": "Bergen"}), "data", "name"))
	a.want(200, "PATCH", path, obj{"is_visible": false})
	assert.NotContains(t, ids(a.as(a.p.AddUser(User{Email: "ann@example.com"})).get("/locations")), location)
	other := fmt.Sprintf("/locations/%d", a.p.AddLocation("empty"))
	a.want(204, "DELETE", other, nil)
	a.want(404, "GET", other, nil)

	image := id(a.want(201, "POST", "/os_images", obj{"name": "Fedora"}))
	path = fmt.Sprintf("/os_images/%d", image)
	version := id(a.want(201, "POST", path+"/versions", obj{"version": "42", "url": "https://example.com/f.qcow2", "virtualization_type": "kvm", "available_plans": []int64{PlanLarge}}))
	a.want(422, "POST", path+"/versions", obj{"version": "42"})
	assert.Equal(t, "42", dig(a.get(path), "data", "versions", 0, "version"))
	a.want(422, "POST", "/servers", with(nodeOrder(), obj{"os": version}))
	a.want(201, "POST", "/servers", with(nodeOrder(), obj{"os": version, "plan": PlanLarge}))
	got := a.want(200, "PUT", fmt.Sprintf("/os_image_versions/%d", version), obj{"version": "43", "url": "https://example.com/f.qcow2", "virtualization_type": "kvm"})
	assert.Equal(t, "43", dig(got, "data", "version"))
	a.want(200, "PUT", path, obj{"name": "Fedora Linux"})
	a.want(204, "DELETE", fmt.Sprintf("/os_image_versions/%d", version), nil)
	a.want(204, "DELETE", path, nil)
	a.want(404, "GET", path, nil)
	app := a.want(201, "POST", "/applications", obj{"name": "Shop", "json_schema": `{"required":["domain"]}`, "available_plans": []int64{PlanLarge}})
	order := obj{"os": nil, "application": id(app), "plan": PlanLarge, "application_data": obj{"domain": "example.com"}}
	a.want(201, "POST", "/servers", with(nodeOrder(), order))
	a.want(422, "POST", "/servers", with(nodeOrder(), with(order, obj{"plan": PlanSmall})))
	project := fmt.Sprintf("/projects/%d/servers", a.p.Users()[0].ProjectID)
	asText := with(projectOrder(), obj{"os_image_version_id": nil, "application_id": id(app), "plan_id": PlanLarge, "application_data": `{"domain":"example.com"}`})
	a.want(201, "POST", project, asText)
	a.want(422, "POST", project, with(asText, obj{"application_data": "{"}))
}

func TestUsersAreKept(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	made := a.want(201, "POST", "/users", obj{"email": "ann@example.com", "password": "x", "billing_user_id": 1001, "status": "active", "language_id": 1})
	path := fmt.Sprintf("/users/%d", id(made))
	assert.Equal(t, 1001.0, dig(made, "data", "billing_user_id"))
	assert.Equal(t, "CLIENT", dig(made, "data", "roles", 0, "name"))
	assert.NotContains(t, made["data"], "password")
	assert.Equal(t, made, a.get(path))
	project := a.get(path + "/projects")
	assert.Equal(t, true, dig(project, "data", 0, "is_default"))
	assert.Equal(t, false, dig(project, "data", 0, "is_owner"), "the administrator is not")
	got := a.want(200, "PATCH", path, obj{"billing_user_id": "whmcs-7", "allowed_ips": []string{"127.0.0.0/8"}})
	assert.Equal(t, []any{"whmcs-7", []any{"127.0.0.0/8"}, "ann@example.com"}, []any{dig(got, "data", "billing_user_id"), dig(got, "data", "allowed_ips"), dig(got, "data", "email")})
	assert.Equal(t, UserState{
		ID: id(made), Email: "ann@example.com", Status: "active", BillingUserID: "whmcs-7", ProjectID: int64(dig(project, "data", 0, "id").(float64)), Created: a.p.Users()[1].Created,
	}, a.p.Users()[1])
	token := a.want(201, "POST", path+"/tokens", obj{})
	ann := &api{t, a.p, secret(dig(token, "data", "access_token"))}
	ann.get("/account")
	ann.get("/account")
	key := id(a.want(201, "POST", "/ssh_keys", obj{"name": "k", "body": aKey, "user_id": id(made)}))
	assert.Equal(t, aKey, dig(a.get(fmt.Sprintf("/ssh_keys/%d", key)), "data", "body"))
	a.want(204, "DELETE", path, nil)
	ann.want(401, "GET", "/account", nil)
	a.want(404, "GET", fmt.Sprintf("/ssh_keys/%d", key), nil)
	a.want(404, "GET", path, nil)
	another := id(a.want(201, "POST", "/ssh_keys", obj{"name": "k", "body": aKey, "user_id": 1}))
	a.want(204, "DELETE", fmt.Sprintf("/ssh_keys/%d", another), nil)
	a.want(404, "DELETE", fmt.Sprintf("/ssh_keys/%d", another), nil)
}

func TestAddressesAreRegisteredReservedAndForgotten(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	set := a.p.AddIPBlock(IPBlock{Name: "set", Set: []netip.Addr{netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("203.0.113.9")}})
	path := fmt.Sprintf("/ip_blocks/%d", set)
	node := a.p.AddComputeResource(ComputeResource{Name: "n", LocationID: LocationFrankfurt, BlockIDs: []int64{set}})
	assert.Equal(t, 2.0, dig(a.get(path), "data", "total_ips_count"), "a number for a set")
	assert.Equal(t, "198.18.0.2 - 198.18.31.254", dig(a.get("/ip_blocks/201"), "data", "total_ips_count"), "text for a range")
	list := ids(a.get(path + "/ips"))
	assert.Len(t, list, 2)
	a.want(200, "PATCH", fmt.Sprintf("/ips/%d", list[0]), obj{"is_reserved": true})
	order := func() int {
		status, _ := a.do("POST", fmt.Sprintf("/compute_resources/%d/servers", node), resourceOrder(1, 501))
		return status
	}
	assert.Equal(t, []int{201, 422}, []int{order(), order()}, "a reserved address is not handed out")
	got := a.get(path + "/ips")
	assert.Equal(t, []any{"203.0.113.9", true, "vm", "admin@solusvm2.test"}, []any{
		dig(got, "data", 1, "ip"), dig(got, "data", 1, "is_primary"), dig(got, "data", 1, "issued_for"), dig(got, "data", 1, "user", "email"),
	})
	a.want(409, "DELETE", fmt.Sprintf("/ips/%d", list[1]), nil)
	a.want(200, "PATCH", fmt.Sprintf("/ips/%d", list[0]), obj{"is_reserved": false, "comment": "c"})
	a.want(204, "DELETE", fmt.Sprintf("/ips/%d", list[0]), nil)
	assert.Equal(t, 422, order(), "it is gone from the set")
	a.want(201, "POST", path+"/ips", obj{"ip": "203.0.113.7"})
	a.want(422, "POST", path+"/ips", obj{"ip": "203.0.113.7"})
	a.want(422, "POST", path+"/ips", nil)
	assert.Equal(t, 201, order())

	made := a.want(201, "POST", "/ip_blocks", obj{
		"name": "r", "type": "IPv4", "gateway": "192.0.2.1", "netmask": "255.255.255.0", "from": "192.0.2.1", "to": "192.0.2.3", "compute_resources": []int64{node},
	})
	path = fmt.Sprintf("/ip_blocks/%d", id(made))
	first := a.want(201, "POST", path+"/ips", nil)
	assert.Equal(t, "192.0.2.2", dig(first, "data", "ip"), "not the gateway")
	a.want(204, "DELETE", fmt.Sprintf("/ips/%d", id(first)), nil)
	assert.Equal(t, []int{201, 201, 422}, []int{order(), order(), order()})
	a.want(409, "DELETE", path, nil)
	v6 := a.want(201, "POST", "/ip_blocks", obj{"name": "six", "type": "IPv6", "gateway": "2001:db8:1::1", "range": "2001:db8:1::/120", "subnet": 124})
	path = fmt.Sprintf("/ip_blocks/%d", id(v6))
	for n := range 16 {
		status, _ := a.do("POST", path+"/ips", nil)
		assert.Equal(t, n < 15, status == 201, "sixteen networks, the gateway is in the first")
	}
	a.want(204, "DELETE", path, nil)
	a.want(404, "GET", path, nil)
}

func TestComputeResourcesAreKept(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := fmt.Sprintf("/compute_resources/%d", NodeFrankfurt)
	got := a.want(200, "PATCH", path, obj{"name": "fra", "is_locked": true, "locations": []int64{LocationAmsterdam}})
	assert.Equal(t, []any{"fra", true, "Amsterdam"}, []any{dig(got, "data", "name"), dig(got, "data", "is_locked"), dig(got, "data", "locations", 0, "name")})
	a.want(422, "POST", "/servers", with(nodeOrder(), obj{"compute_resource": NodeFrankfurt}))
	settings := a.want(200, "PUT", path+"/settings", obj{"cache_path": "/cache", "balance_strategy": "random"})
	assert.Equal(t, []any{"/cache", "random", 6080.0}, []any{dig(settings, "data", "cache_path"), dig(settings, "data", "balance_strategy"), dig(settings, "data", "vnc_proxy_port")})
	assert.Equal(t, settings["data"], dig(a.get(path), "data", "settings"))
	made := a.want(201, "POST", path+"/storages", obj{"type": "lvm", "path": "/dev/vg0"})
	assert.Equal(t, []any{"raw"}, dig(made, "data", "type", "formats"))
	assert.Len(t, ids(a.get(path+"/storages")), 2)
	assert.Equal(t, "eth0", dig(a.get(path+"/networks"), "data", 0, "name"))
	assert.Equal(t, "done", dig(a.get(path+"/install_steps"), "data", 2, "status"))
	a.get(path + "/usage")
}

func TestProjectsAreKept(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	made := a.want(201, "POST", "/projects", obj{"name": "shop", "description": "d"})
	path := fmt.Sprintf("/projects/%d", id(made))
	assert.Equal(t, []any{true, false, 1.0, 0.0}, []any{
		dig(made, "data", "is_owner"), dig(made, "data", "is_default"), dig(made, "data", "members"), dig(made, "data", "servers"),
	})
	a.want(201, "POST", path+"/servers", projectOrder())
	assert.Equal(t, 1.0, dig(a.get(path), "data", "servers"))
	assert.Equal(t, "admin@solusvm2.test", dig(a.get(path), "data", "owner", "email"))
}

func TestAddedApplicationsAskForTheirInputs(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	app := a.p.AddApplication(Application{Name: "Shop", Required: []string{"domain"}})
	order := func(data obj) obj {
		return with(nodeOrder(), obj{"os": nil, "application": app, "application_data": data})
	}
	refused := a.want(422, "POST", "/servers", order(obj{"domain": ""}))
	assert.Contains(t, refused["errors"], "application_data.domain")
	a.want(201, "POST", "/servers", order(obj{"domain": "example.com"}))
}

func TestTheActivityLogForgetsItsOldestEntries(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.p.look(func(c *call) {
		for range 2*maxLog + 1 {
			c.log(c.now, "", "user_created", nil)
		}
	})
	got := a.get("/activity_logs")
	assert.EqualValues(t, maxLog+1, dig(got, "meta", "total"))
	assert.EqualValues(t, maxLog+1, dig(got, "data", 0, "id"))
}

func TestSettingsAreKeptAndUnknownOnesIgnored(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := a.want(200, "PATCH", "/settings", obj{"hostname": "solus.example.com", "colour": "red"})
	assert.Equal(t, "solus.example.com", dig(got, "data", "hostname"))
	assert.NotContains(t, got["data"], "colour")
	assert.Equal(t, got, a.get("/settings"))
}

func TestAServerIsChangedAtOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	s := a.foreign(Server{Name: "web", Description: "order-1"})
	got := a.want(200, "PATCH", serverPath(s.ID, ""), obj{"name": "db.example.com", "fqdns": []string{"db.example.com"}, "user_data": "#cloud-config\n"})
	assert.Equal(t, []any{"db.example.com", []any{"db.example.com"}, "order-1"}, []any{dig(got, "data", "name"), dig(got, "data", "fqdns"), dig(got, "data", "description")})
	a.want(200, "PUT", serverPath(s.ID, ""), obj{"description": ""})
	assert.Nil(t, dig(a.get(serverPath(s.ID, "")), "data", "description"))
	got = a.want(200, "PATCH", serverPath(s.ID, "/settings"), obj{"disk_cache_mode": "writeback", "firmware": "efi"})
	assert.Equal(t, []any{"writeback", "virtio", "efi"}, []any{
		dig(got, "data", "settings", "disk_cache_mode"), dig(got, "data", "settings", "disk_driver"), dig(got, "data", "settings", "firmware"),
	})
	a.want(200, "POST", serverPath(s.ID, "/install_guest_tools"), nil)
	assert.Equal(t, "vm-update", dig(a.get("/tasks"), "data", 0, "action"))
}
