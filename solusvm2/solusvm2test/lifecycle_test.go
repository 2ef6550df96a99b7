package solusvm2test

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAServerGoesFromProcessingToStarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		start := time.Now()
		order := with(nodeOrder(), obj{"password": "Abcde12345FGHIJ", "ip_types": []string{"IPv4", "IPv6"}, "fqdns": []string{"web-1.example.com"}})
		made := a.want(201, "POST", "/servers", order)
		server := id(made)
		assert.NotContains(t, made["data"], "password")
		assert.NotContains(t, made["data"], "task")
		assert.Empty(t, dig(made, "data", "ip_addresses", "ipv4"), "addresses come later")
		assert.Equal(t, "order-1", dig(made, "data", "description"))
		assert.Equal(t, "not exist", dig(made, "data", "real_status"))
		assert.EqualValues(t, 1<<30, dig(made, "data", "specifications", "ram"), "bytes")
		assert.EqualValues(t, 20, dig(made, "data", "specifications", "disk"), "GiB")

		task := a.get(fmt.Sprintf("/tasks?filter[compute_resource_vm_id]=%d&filter[action]=vm-create", server))
		taskPath := fmt.Sprintf("/tasks/%v", dig(task, "data", 0, "id"))
		for _, step := range []struct {
			after            time.Duration
			status, task     string
			addresses        int
			progress, really any
		}{
			{0, "processing", "pending", 0, 0.0, "not exist"},
			{500 * time.Millisecond, "processing", "queued", 0, 0.0, "not exist"},
			{time.Second, "processing", "running", 1, 0.0, "not exist"},
			{15500 * time.Millisecond, "processing", "running", 1, 50.0, "not exist"},
			{30*time.Second - 1, "processing", "running", 1, 99.0, "not exist"},
			{30 * time.Second, "started", "done", 1, nil, "started"},
		} {
			time.Sleep(step.after - time.Since(start))
			got, task := a.get(serverPath(server, "")), a.get(taskPath)
			assert.Equal(t, step.status, dig(got, "data", "status"), step.after)
			assert.Equal(t, step.really, dig(got, "data", "real_status"), step.after)
			assert.Equal(t, step.status == "processing", dig(got, "data", "is_processing"), step.after)
			assert.Equal(t, step.progress, dig(got, "data", "progress"), step.after)
			assert.Equal(t, step.task, dig(task, "data", "status"), step.after)
			assert.Len(t, dig(got, "data", "ip_addresses", "ipv4"), step.addresses, step.after)
			assert.Len(t, dig(got, "data", "ip_addresses", "ipv6"), step.addresses, step.after)
		}
		done := a.get(taskPath)
		assert.Equal(t, 29.0, dig(done, "data", "duration"))
		assert.Equal(t, 100.0, dig(done, "data", "progress"))
		got := a.get(serverPath(server, ""))
		assert.Equal(t, start.UTC().Format("2006-01-02T15:04:05.000000Z"), dig(got, "data", "created_at"))
		assert.Equal(t, "198.18.0.2", dig(got, "data", "ip_addresses", "ipv4", 0, "ip"))
		assert.Equal(t, true, dig(got, "data", "ip_addresses", "ipv4", 0, "is_primary"))
		assert.Equal(t, "2001:db8:a::1:0/112", dig(got, "data", "ip_addresses", "ipv6", 0, "range"))

		s := a.truth(server)
		assert.True(t, s.Running)
		assert.Equal(t, "Abcde12345FGHIJ", s.Password.Reveal())
		assert.NotContains(t, fmt.Sprintf("%+v %#v", s, s), "Abcde12345FGHIJ")
		assert.Equal(t, []netip.Addr{netip.MustParseAddr("198.18.0.2")}, s.IPv4)
		assert.Equal(t, []netip.Prefix{netip.MustParsePrefix("2001:db8:a::1:0/112")}, s.IPv6)
		assert.Equal(t, 1, s.Builds)
	})
}

func TestAFailedCreationLeavesAServerThatDoesNotExist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.p.FailNext(TaskCreate, TaskFailed, "no space left on device")
		server := a.create()
		time.Sleep(30 * time.Second)
		got := a.get(serverPath(server, ""))
		assert.Equal(t, []any{"not exist", "not exist", false}, []any{dig(got, "data", "status"), dig(got, "data", "real_status"), dig(got, "data", "is_processing")})
		task := a.get(fmt.Sprintf("/tasks?filter[compute_resource_vm_id]=%d", server))
		assert.Equal(t, []any{"failed", "no space left on device"}, []any{dig(task, "data", 0, "status"), dig(task, "data", 0, "output")})
		a.want(409, "POST", serverPath(server, "/start"), nil)
		a.want(200, "POST", serverPath(server, "/reinstall"), obj{"os": VersionDebian12})
		time.Sleep(30 * time.Second)
		assert.Equal(t, "started", dig(a.get(serverPath(server, "")), "data", "status"), "the next one works")
	})
}

func TestTasksEndInOneOfFourWays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status  string
		running bool
	}{{TaskDone, false}, {TaskDoneWithErrors, false}, {TaskFailed, true}, {TaskCanceled, true}} {
		t.Run(tt.status, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				s := a.foreign(Server{Name: "web"})
				if tt.status != TaskDone {
					a.p.FailNext(TaskStop, tt.status, "qemu says no")
				}
				got := a.task(a.want(200, "POST", serverPath(s.ID, "/stop"), obj{"force": true}))
				assert.Equal(t, tt.status, dig(got, "data", "status"))
				assert.Equal(t, tt.status != TaskDone, dig(got, "data", "output") == "qemu says no")
				assert.Equal(t, tt.running, a.truth(s.ID).Running)
			})
		})
	}
}

func TestPowerOperationsEndWithTheirTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		for _, tt := range []struct {
			op      string
			in      any
			takes   time.Duration
			status  string
			running bool
		}{
			{"stop", nil, 6 * time.Second, "stopped", false},
			{"stop", nil, 6 * time.Second, "stopped", false},
			{"start", "", 3 * time.Second, "started", true},
			{"start", obj{}, 3 * time.Second, "started", true},
			{"restart", obj{"force": false}, 8 * time.Second, "started", true},
			{"stop", obj{"force": true}, 2 * time.Second, "stopped", false},
		} {
			answer := a.want(200, "POST", serverPath(server, "/"+tt.op), tt.in)
			assert.Equal(t, "vm-"+tt.op, dig(answer, "data", "action"))
			assert.EqualValues(t, server, dig(answer, "data", "compute_resource_vm_id"))
			assert.Contains(t, a.want(409, "POST", serverPath(server, "/start"), nil)["message"], "processing another task")
			time.Sleep(tt.takes - time.Nanosecond)
			assert.Equal(t, "running", dig(a.get(fmt.Sprintf("/tasks/%d", id(answer))), "data", "status"), tt.op)
			time.Sleep(time.Nanosecond)
			assert.Equal(t, "done", dig(a.get(fmt.Sprintf("/tasks/%d", id(answer))), "data", "status"), tt.op)
			assert.Equal(t, tt.status, dig(a.get(serverPath(server, "")), "data", "status"), tt.op)
			assert.Equal(t, tt.running, a.truth(server).Running, tt.op)
		}
	})
}

func TestTheOldStatusIsShownUntilARestartOrReinstallationStarts(t *testing.T) {
	t.Parallel()
	for op, tt := range map[string]struct {
		in     any
		status string
	}{"restart": {nil, "restarting"}, "reinstall": {obj{"os": VersionUbuntu2404}, "reinstalling"}} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				server := a.ready()
				answer := a.want(200, "POST", serverPath(server, "/"+op), tt.in)
				look := func() []any {
					got := a.get(serverPath(server, ""))
					return []any{dig(got, "data", "status"), dig(got, "data", "is_processing")}
				}
				assert.Equal(t, []any{"started", false}, look(), "stale")
				time.Sleep(time.Second)
				assert.Equal(t, []any{tt.status, true}, look())
				a.task(answer)
				assert.Equal(t, []any{"started", false}, look())
			})
		})
	}
}

func TestAReinstallationReplacesTheSystem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		before := a.truth(server)
		a.task(a.want(200, "POST", serverPath(server, "/reinstall"), obj{"os": VersionWindows, "password": "Newpass12345"}))
		s := a.truth(server)
		assert.Equal(t, []any{VersionWindows, "Newpass12345", 2, true}, []any{s.VersionID, s.Password.Reveal(), s.Builds, s.Running})
		assert.Equal(t, before.IPv4, s.IPv4)
		assert.Equal(t, "Windows", dig(a.get(serverPath(server, "")), "data", "os_type"))
		a.task(a.want(200, "POST", serverPath(server, "/reinstall"), obj{
			"application": ApplicationWordPress, "application_data": obj{"admin_email": "a@example.com", "admin_password": "x"},
		}))
		s = a.truth(server)
		assert.Equal(t, []any{int64(0), ApplicationWordPress}, []any{s.VersionID, s.ApplicationID})
		assert.NotEqual(t, "Newpass12345", s.Password.Reveal(), "the panel makes one when none is given")
	})
}

func TestASuspensionStopsTheServerAndKeepsItFromStarting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		for range 2 { // repeating is harmless
			answer := a.want(200, "POST", serverPath(server, "/suspend"), nil)
			assert.Equal(t, "vm-suspend", dig(answer, "data", "action"))
			a.task(answer)
			got := a.get(serverPath(server, ""))
			assert.Equal(t, []any{true, "stopped"}, []any{dig(got, "data", "is_suspended"), dig(got, "data", "status")})
		}
		for _, op := range []string{"start", "restart"} {
			assert.Contains(t, a.want(409, "POST", serverPath(server, "/"+op), nil)["message"], "suspended")
		}
		a.want(409, "POST", serverPath(server, "/reinstall"), obj{"os": VersionDebian12})
		a.want(409, "POST", serverPath(server, "/vnc_up"), nil)
		for range 2 {
			a.task(a.want(200, "POST", serverPath(server, "/resume"), nil))
			got := a.get(serverPath(server, ""))
			assert.Equal(t, []any{false, "started"}, []any{dig(got, "data", "is_suspended"), dig(got, "data", "status")})
		}
		a.task(a.want(200, "POST", serverPath(server, "/stop"), nil))
		a.task(a.want(200, "POST", serverPath(server, "/suspend"), nil))
		a.task(a.want(200, "POST", serverPath(server, "/resume"), nil))
		assert.False(t, a.truth(server).Running, "it did not run before")
	})
}

func TestAGuestMayIgnoreAShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		a.p.SetGuestIgnoresShutdown(server, true)
		assert.Equal(t, "done", dig(a.task(a.want(200, "POST", serverPath(server, "/stop"), nil)), "data", "status"))
		assert.True(t, a.truth(server).Running)
		a.task(a.want(200, "POST", serverPath(server, "/stop"), obj{"force": true}))
		assert.False(t, a.truth(server).Running)
	})
}

func TestADeletedServerIsListedUntilItsTaskEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		answer := a.want(200, "DELETE", serverPath(server, ""), nil)
		assert.Equal(t, "vm-delete", dig(answer, "data", "action"))
		again := a.want(200, "DELETE", serverPath(server, ""), nil)
		assert.Equal(t, id(answer), id(again), "the same task")
		time.Sleep(5*time.Second - time.Nanosecond)
		assert.Equal(t, "processing", dig(a.get(serverPath(server, "")), "data", "status"))
		assert.Equal(t, []int64{server}, ids(a.get("/servers")))
		time.Sleep(time.Nanosecond)
		assert.Contains(t, a.want(404, "GET", serverPath(server, ""), nil)["message"], "No query results")
		a.want(404, "DELETE", serverPath(server, ""), nil)
		assert.Empty(t, ids(a.get("/servers")))
		assert.Equal(t, "done", dig(a.get(fmt.Sprintf("/tasks/%d", id(answer))), "data", "status"))
		s := a.truth(server)
		assert.False(t, s.DeletedAt.IsZero())
		assert.Empty(t, s.IPv4)
		assert.Equal(t, netip.MustParseAddr("198.18.0.2"), a.foreign(Server{}).IPv4[0], "its address is free again")
	})
}

func TestAServerBeingMadeCannotBeDeletedYet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.create()
		a.want(409, "DELETE", serverPath(server, ""), nil)
		time.Sleep(30 * time.Second)
		a.want(200, "DELETE", serverPath(server, ""), nil)
	})
}

func TestAResizeChangesThePlanWhenItsTaskEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		answer := a.want(200, "POST", serverPath(server, "/resize"), obj{"plan_id": PlanMedium, "preserve_disk": true})
		assert.EqualValues(t, 1024, a.truth(server).MemoryMiB)
		a.task(answer)
		s := a.truth(server)
		assert.Equal(t, []int64{PlanMedium, 2048, 20, 2}, []int64{s.PlanID, s.MemoryMiB, s.DiskGiB, s.VCPUs}, "the disk was preserved")
		a.task(a.want(200, "POST", serverPath(server, "/resize"), obj{"plan_id": PlanMedium, "preserve_disk": false, "delayed": true}))
		s = a.truth(server)
		assert.EqualValues(t, 40, s.DiskGiB)
		assert.True(t, s.NeedsRestart)
		a.task(a.want(200, "POST", serverPath(server, "/restart"), nil))
		assert.False(t, a.truth(server).NeedsRestart)
		refused := a.want(422, "POST", serverPath(server, "/resize"), obj{"plan_id": PlanSmall, "preserve_disk": false})
		assert.Contains(t, dig(refused, "errors", "plan_id", 0), "smaller")
		a.task(a.want(200, "POST", serverPath(server, "/resize"), obj{
			"plan_id": PlanSmall, "preserve_disk": false, "custom_plan": obj{
				"params": obj{"disk": 50, "ram": 3 << 30, "vcpu": 3}, "limits": obj{"network_total_traffic": obj{"limit": 5}}, "is_snapshots_enabled": false,
			},
		}))
		s = a.truth(server)
		assert.Equal(t, []int64{PlanSmall, 3072, 50, 3}, []int64{s.PlanID, s.MemoryMiB, s.DiskGiB, s.VCPUs})
		got := a.get(serverPath(server, ""))
		assert.Equal(t, obj{"is_enabled": true, "limit": 5.0, "unit": "GiB"}, dig(got, "data", "plan", "limits", "network_total_traffic"))
		assert.EqualValues(t, 1<<30, dig(a.get(fmt.Sprintf("/plans/%d", PlanSmall)), "data", "params", "ram"), "the plan itself is as before")
		a.want(409, "POST", serverPath(server, "/snapshots"), obj{"name": "s"})
	})
}

func TestANewPasswordIsGoodWhenItsTaskEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		old := a.truth(server).Password
		answer := a.want(200, "POST", serverPath(server, "/reset_password"), obj{"send_password_to_current_user": false})
		password := dig(answer, "data", "password")
		assert.Len(t, password, 15)
		assert.Equal(t, old, a.truth(server).Password)
		assert.Equal(t, "vm-password-change", dig(a.get("/tasks?filter[status]=pending"), "data", 0, "action"))
		time.Sleep(4 * time.Second)
		assert.Equal(t, password, a.truth(server).Password.Reveal())
		assert.Empty(t, a.p.Mails())

		a.want(200, "POST", serverPath(server, "/reset_password"), nil)
		require.Len(t, a.p.Mails(), 1, "the default is a mail")
		assert.Equal(t, "admin@solusvm2.test", a.p.Mails()[0].To, "to the owner of the token")
		time.Sleep(4 * time.Second)
		ann := a.p.AddUser(User{Email: "ann@example.com"})
		token := a.want(201, "POST", fmt.Sprintf("/users/%d/tokens", ann), obj{"is_one_time": true})
		s := a.foreign(Server{UserID: ann})
		once := &api{t, a.p, a.p.TokenFor(ann)}
		once.token = secret(dig(token, "data", "access_token"))
		once.want(200, "POST", serverPath(s.ID, "/reset_password"), nil)
		assert.Equal(t, "ann@example.com", a.p.Mails()[1].To)
		once.want(401, "GET", "/account", nil)
	})
}

func TestAddressesComeAndGoWithTheirTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		addresses := func() (ips []any, ids []any) {
			list, _ := dig(a.get(serverPath(server, "")), "data", "ip_addresses", "ipv4").([]any)
			for i := range list {
				ips, ids = append(ips, dig(list, i, "ip")), append(ids, dig(list, i, "id"))
			}
			return ips, ids
		}
		wait := func() { time.Sleep(5 * time.Second) }
		assert.Equal(t, obj{}, a.want(200, "POST", serverPath(server, "/ips"), obj{"count": 2})["data"])
		ips, _ := addresses()
		assert.Len(t, ips, 1, "not yet")
		a.want(409, "POST", serverPath(server, "/ips"), obj{"count": 1})
		wait()
		ips, list := addresses()
		assert.Equal(t, []any{"198.18.0.2", "198.18.0.3", "198.18.0.4"}, ips)
		a.want(200, "POST", serverPath(server, "/ips"), obj{})
		wait()
		ips, _ = addresses()
		assert.Len(t, ips, 4, "an empty body asks for one")
		a.want(200, "POST", serverPath(server, "/ips"), obj{"ip": "198.18.7.7", "type": "IPv4", "delayed": false})
		wait()
		ips, _ = addresses()
		assert.Equal(t, "198.18.7.7", ips[4])
		a.want(200, "POST", serverPath(server, "/ips"), obj{"type": "IPv6"})
		wait()
		assert.Len(t, a.truth(server).IPv6, 1)

		assert.Contains(t, dig(a.want(422, "DELETE", serverPath(server, "/ips"), obj{"ids": []any{list[0]}}), "errors", "ids.0", 0), "primary")
		a.want(422, "DELETE", serverPath(server, "/ips"), obj{"ids": []any{9}})
		a.want(422, "DELETE", serverPath(server, "/ips"), nil)
		a.want(204, "DELETE", serverPath(server, "/ips"), obj{"ids": list[1:]})
		ips, _ = addresses()
		assert.Len(t, ips, 5, "not yet")
		wait()
		ips, _ = addresses()
		assert.Equal(t, []any{"198.18.0.2", "198.18.0.5", "198.18.7.7"}, ips)

		a.p.FailNext(TaskNetwork, TaskFailed, "bridge is down")
		a.want(200, "POST", serverPath(server, "/ips"), obj{"ip": "198.18.0.3"})
		wait()
		ips, _ = addresses()
		assert.Len(t, ips, 3)
		a.want(200, "POST", serverPath(server, "/ips"), obj{"ip": "198.18.0.3"})
		wait()
		ips, _ = addresses()
		assert.Len(t, ips, 4, "the failed change gave it back")
		assert.Equal(t, 5.0, dig(a.get("/activity_logs?filter[event]=additional_ip_created"), "meta", "total"))
	})
}

func TestSnapshotsAreMadeRevertedAndRemoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		made := a.want(201, "POST", serverPath(server, "/snapshots"), obj{"name": "before"})
		path := fmt.Sprintf("/snapshots/%d", id(made))
		assert.Equal(t, "processing", dig(made, "data", "status"))
		a.want(409, "POST", path+"/revert", nil)
		time.Sleep(10 * time.Second)
		assert.Equal(t, "available", dig(a.get(path), "data", "status"))
		assert.Equal(t, 2.5, dig(a.get(path), "data", "size"))
		assert.Equal(t, "snapshot-revert", dig(a.task(a.want(200, "POST", path+"/revert", nil)), "data", "action"))
		assert.Equal(t, []int64{id(made)}, ids(a.get(serverPath(server, "/snapshots"))))
		a.task(a.want(200, "DELETE", path, nil))
		a.want(404, "GET", path, nil)
		a.p.FailNext(TaskSnapshotCreate, TaskFailed, "no space")
		path = fmt.Sprintf("/snapshots/%d", id(a.want(201, "POST", serverPath(server, "/snapshots"), obj{"name": "again"})))
		time.Sleep(10 * time.Second)
		assert.Equal(t, "failed", dig(a.get(path), "data", "status"))
	})
}

func TestBackupsAreMadeRestoredAndRemoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		made := a.want(201, "POST", serverPath(server, "/backups"), nil)
		path := fmt.Sprintf("/backups/%d", id(made))
		start := time.Now()
		for _, step := range []struct {
			after    time.Duration
			status   string
			progress float64
		}{{0, "pending", 0}, {time.Second, "in_progress", 0}, {10500 * time.Millisecond, "in_progress", 50}, {20 * time.Second, "created", 100}} {
			time.Sleep(step.after - time.Since(start))
			got := a.get(path)
			assert.Equal(t, []any{step.status, step.progress}, []any{dig(got, "data", "status"), dig(got, "data", "backup_progress")}, step.after)
		}
		answer := a.want(200, "POST", path+"/restore", nil)
		a.want(409, "DELETE", path, nil)
		assert.Equal(t, "backup-restore", dig(a.task(answer), "data", "action"))
		assert.Equal(t, []int64{id(made)}, ids(a.get(serverPath(server, "/backups"))))
		a.want(204, "DELETE", path, nil)
		a.want(404, "GET", path, nil)
		a.p.FailNext(TaskBackupCreate, TaskFailed, "no space")
		path = fmt.Sprintf("/backups/%d", id(a.want(201, "POST", serverPath(server, "/backups"), nil)))
		time.Sleep(20 * time.Second)
		got := a.get(path)
		assert.Equal(t, []any{"failed", "no space"}, []any{dig(got, "data", "status"), dig(got, "data", "backup_fail_reason")})
		a.want(409, "POST", path+"/restore", nil)
	})
}

func TestAMigrationKeepsAddressesOnlyWhereBothEndsHandThemOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		s := a.foreign(Server{Name: "web", IPv6: true})
		require.Equal(t, NodeAmsterdam1, s.ComputeResourceID)
		order := func(target int64, change obj) obj {
			return with(obj{"servers": []int64{s.ID}, "destination_compute_resource_id": target}, change)
		}
		made := a.want(201, "POST", "/servers_migrations", order(NodeAmsterdam2, obj{"preserve_ips": true, "is_live": true}))
		assert.Equal(t, "vms-migrate", dig(made, "data", "task", "action"))
		assert.Equal(t, "vm-migrate", dig(made, "data", "children", 0, "action"))
		time.Sleep(40 * time.Second)
		moved := a.truth(s.ID)
		assert.Equal(t, NodeAmsterdam2, moved.ComputeResourceID)
		assert.Equal(t, s.IPv4, moved.IPv4)

		refused := a.want(422, "POST", "/servers_migrations", order(NodeFrankfurt, obj{"preserve_ips": true}))
		assert.Contains(t, dig(refused, "errors", "servers.0", 0), "preserved")
		made = a.want(201, "POST", "/servers_migrations", order(NodeFrankfurt, nil))
		a.want(409, "POST", "/servers_migrations", order(NodeFrankfurt, nil))
		time.Sleep(40 * time.Second)
		moved = a.truth(s.ID)
		assert.Equal(t, []int64{NodeFrankfurt, LocationFrankfurt}, []int64{moved.ComputeResourceID, moved.LocationID})
		assert.Equal(t, []netip.Addr{netip.MustParseAddr("198.18.32.2")}, moved.IPv4)
		assert.Equal(t, []netip.Prefix{netip.MustParsePrefix("2001:db8:f::1:0/112")}, moved.IPv6)
		assert.Equal(t, "done", dig(a.get(fmt.Sprintf("/tasks/%v", dig(made, "data", "task", "id"))), "data", "status"))

		a.p.FailNext(TaskMigrate, TaskFailed, "network is unreachable")
		made = a.want(201, "POST", "/servers_migrations", order(NodeAmsterdam1, nil))
		time.Sleep(40 * time.Second)
		assert.Equal(t, "done_with_errors", dig(a.get(fmt.Sprintf("/tasks/%v", dig(made, "data", "task", "id"))), "data", "status"))
		assert.Equal(t, NodeFrankfurt, a.truth(s.ID).ComputeResourceID)
		a.task(a.want(200, "POST", serverPath(s.ID, "/stop"), nil))
		a.want(422, "POST", "/servers_migrations", order(NodeAmsterdam1, obj{"is_live": true}))
	})
}

func TestAComputeResourceThatIsNotAvailableFailsItsTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		s := a.foreign(Server{Name: "web"})
		a.p.SetComputeResourceStatus(NodeAmsterdam1, "unavailable")
		assert.Equal(t, "unavailable", dig(a.get(serverPath(s.ID, "")), "data", "status"))
		assert.Equal(t, "failed", dig(a.task(a.want(200, "POST", serverPath(s.ID, "/stop"), nil)), "data", "status"))
		a.p.SetComputeResourceStatus(NodeAmsterdam1, "active")
		assert.Equal(t, "started", dig(a.get(serverPath(s.ID, "")), "data", "status"))
	})
}

func TestAComputeResourceIsCommissionedThenItsNetworkIsConfigured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		made := a.want(201, "POST", "/compute_resources", obj{
			"name": "new", "host": "new.example.com", "login": "root", "type": "lpass", "password": "x", "locations": []int64{LocationFrankfurt}, "ip_blocks": []int64{203},
		})
		path := fmt.Sprintf("/compute_resources/%d", id(made))
		assert.Equal(t, "commissioning", dig(made, "data", "status"))
		a.want(409, "POST", path+"/setup_network", obj{"id": "eth0", "type": "bridged"})
		time.Sleep(30 * time.Second)
		steps := a.get(path + "/install_steps")
		assert.Equal(t, []any{"done", "running"}, []any{dig(steps, "data", 0, "status"), dig(steps, "data", 1, "status")})
		time.Sleep(30 * time.Second)
		assert.Equal(t, "configure_network", dig(a.get(path), "data", "status"))
		a.task(a.want(200, "POST", path+"/setup_network", obj{"id": "eth0", "type": "bridged"}))
		assert.Equal(t, "active", dig(a.get(path), "data", "status"))
		assert.NotContains(t, dig(a.get(path), "data"), "password")
		a.want(201, "POST", path+"/servers", resourceOrder(1, 501))
		a.want(409, "DELETE", path, obj{"force": false})
		a.want(204, "DELETE", path, obj{"force": true})
		a.want(404, "GET", path, nil)
		assert.False(t, a.p.Servers()[0].DeletedAt.IsZero())
		time.Sleep(time.Minute)
		assert.Equal(t, "canceled", dig(a.get("/tasks?filter[action]=vm-create"), "data", 0, "status"))
	})
}

func TestTrafficCountsTowardsTheLimitsAndIsResetByThePlansPolicy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the clock of a bubble starts on the first of January 2000
		a := newAPI(t)
		plan := id(a.want(201, "POST", "/plans", obj{
			"name": "metered", "virtualization_type": "kvm", "storage_type": "fb", "image_format": "qcow2", "reset_limit_policy": "vm_created_day",
			"params": obj{"disk": 10, "ram": 1 << 30, "vcpu": 1}, "limits": obj{"network_incoming_traffic": obj{"is_enabled": true, "limit": 1, "unit": "GiB"}},
		}))
		time.Sleep(30 * 24 * time.Hour) // the 31st
		s := a.foreign(Server{PlanID: plan})
		use := func() []any {
			got := a.get(serverPath(s.ID, ""))
			return []any{dig(got, "data", "usage", "network", "incoming", "value"), dig(got, "data", "usage", "network", "incoming", "is_exceeded")}
		}
		a.p.AddTraffic(s.ID, 1<<30, 5)
		assert.Equal(t, []any{float64(1 << 30), false}, use())
		a.p.AddTraffic(s.ID, 1, 5)
		assert.Equal(t, []any{float64(1<<30 + 1), true}, use())
		limits := a.get(serverPath(s.ID, "/limits"))
		assert.NotContains(t, limits, "meta")
		assert.Equal(t, true, dig(limits, "data", 0, "is_exceeded"))
		time.Sleep(29*24*time.Hour - time.Second) // February 2000 has 29 days
		assert.Equal(t, []any{float64(1<<30 + 1), true}, use())
		time.Sleep(time.Second)
		assert.Equal(t, []any{0.0, false}, use(), "on the last day of the shorter month")
		a.p.AddTraffic(s.ID, 7, 0)
		assert.Equal(t, []any{7.0, false}, use())
		a.want(200, "POST", serverPath(s.ID, "/reset_usage"), nil)
		assert.Equal(t, []any{0.0, false}, use())
	})
}

func TestASuspendedUserHasSuspendedServers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		ann := a.p.AddUser(User{Email: "ann@example.com"})
		s := a.foreign(Server{UserID: ann})
		path := fmt.Sprintf("/users/%d", ann)
		a.want(200, "PATCH", path, obj{"status": "locked"})
		time.Sleep(time.Minute)
		assert.False(t, a.truth(s.ID).Suspended)
		a.as(ann).want(403, "POST", fmt.Sprintf("/projects/%d/servers", s.ProjectID), projectOrder())
		a.as(ann).want(403, "POST", "/projects", obj{"name": "p"})
		a.want(200, "PUT", path, obj{"status": "suspended"})
		time.Sleep(time.Minute)
		assert.True(t, a.truth(s.ID).Suspended)
		a.as(ann).want(409, "POST", serverPath(s.ID, "/start"), nil)
		a.want(200, "PATCH", path, obj{"status": "active"})
		time.Sleep(time.Minute)
		assert.False(t, a.truth(s.ID).Suspended)
		assert.True(t, a.truth(s.ID).Running)
	})
}

func TestRescueIsWhatTheNextStartBootsFrom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.ready()
		assert.Equal(t, "rescue", dig(a.want(200, "PATCH", serverPath(server, ""), obj{"boot_mode": "rescue"}), "data", "boot_mode"))
		assert.Equal(t, "disk", a.truth(server).BootedFrom)
		a.task(a.want(200, "POST", serverPath(server, "/restart"), nil))
		assert.Equal(t, "rescue", a.truth(server).BootedFrom)
		a.want(200, "POST", serverPath(server, "/boot"), obj{"mode": "iso", "iso_image_id": 1})
		assert.Equal(t, obj{"mode": "iso", "iso_image_id": 1.0}, a.get(serverPath(server, "/boot"))["data"])
		a.want(422, "POST", serverPath(server, "/boot"), obj{"mode": "iso", "iso_image_id": 9})
		a.want(422, "POST", serverPath(server, "/boot"), obj{"mode": "iso"})
	})
}

func TestSeveralServersAreStartedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		one, two := a.foreign(Server{}), a.foreign(Server{})
		a.task(a.want(200, "POST", serverPath(one.ID, "/stop"), nil))
		a.want(200, "POST", "/servers/start", obj{"ids": []int64{one.ID, two.ID}})
		time.Sleep(3 * time.Second)
		assert.True(t, a.truth(one.ID).Running)
		a.want(200, "POST", "/servers/restart", obj{"ids": []int64{one.ID}})
		assert.True(t, a.truth(one.ID).Busy)
		assert.False(t, a.truth(two.ID).Busy)
		a.want(422, "POST", "/servers/start", obj{"ids": []int64{9}})
	})
}

func TestThePanelRunsFasterOnDemand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, WithSpeed(10), WithTiming(Timing{Delete: -1}))
		server := a.create()
		time.Sleep(3 * time.Second)
		assert.Equal(t, "started", dig(a.get(serverPath(server, "")), "data", "status"))
		a.want(200, "DELETE", serverPath(server, ""), nil)
		a.want(404, "GET", serverPath(server, ""), nil)
	})
}
