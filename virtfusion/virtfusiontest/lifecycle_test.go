package virtfusiontest

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAServerGoesFromAllocatedToCompleteAndRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		made := a.want(201, "POST", "/servers", smallOrder())
		id := int64(dig(made, "data", "id").(float64))
		assert.Equal(t, "", dig(made, "data", "name"))
		assert.Nil(t, dig(made, "data", "hostname"))
		assert.Nil(t, dig(made, "data", "built"))
		assert.Equal(t, "allocated", dig(made, "data", "state"))
		assert.EqualValues(t, 0, dig(made, "data", "commissionStatus"))
		assert.NotContains(t, made["data"], "remoteState")
		assert.Equal(t, false, dig(a.get(serverPath(id, "?remoteState=true")), "data", "remoteState"), "nothing was ever installed")

		answer := a.want(200, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateUbuntu, "name": "web-1", "hostname": "web-1.example.com", "ipv6": true})
		password := dig(answer, "data", "settings", "decryptedPassword")
		assert.Len(t, password, 20)
		start := time.Now()
		for _, step := range []struct {
			after      time.Duration
			state      string
			commission int
		}{{0, "queued", 1}, {999 * time.Millisecond, "queued", 1}, {time.Second, "building", 2}, {22999 * time.Millisecond, "building", 2}, {23 * time.Second, "complete", 3}} {
			time.Sleep(step.after - time.Since(start))
			got := a.get(serverPath(id, ""))
			assert.Equal(t, step.state, dig(got, "data", "state"), step.after)
			assert.EqualValues(t, step.commission, dig(got, "data", "commissionStatus"), step.after)
			assert.Equal(t, step.commission != 3, dig(got, "data", "tasks", "active"), step.after)
			assert.Equal(t, false, dig(got, "data", "remoteState"), "not asked for")
			assert.NotContains(t, dig(got, "data", "settings"), "decryptedPassword")
		}
		got := a.get(serverPath(id, "?remoteState=true"))
		assert.Equal(t, true, dig(got, "data", "remoteState", "running"))
		assert.Equal(t, "running", dig(got, "data", "remoteState", "state"))
		assert.Equal(t, start.Add(23*time.Second).UTC().Format("2006-01-02T15:04:05+00:00"), dig(got, "data", "built"))
		assert.EqualValues(t, 64, dig(got, "data", "network", "interfaces", 0, "ipv6", 0, "cidr"))

		s, known := a.p.Server(id)
		require.True(t, known)
		assert.Equal(t, "web-1", s.Name)
		assert.Equal(t, password, s.RootPassword.Reveal())
		assert.NotContains(t, fmt.Sprintf("%+v %#v", s, s), password)
		assert.True(t, s.Running)
		assert.Equal(t, []netip.Addr{netip.MustParseAddr("198.18.0.2")}, s.IPv4)
		assert.Equal(t, []netip.Prefix{netip.MustParsePrefix("2001:db8:a:1::/64")}, s.IPv6)
	})
}

func TestARebuildKeepsTheOldTimeUntilItIsDoneAndThenChangesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, WithSpeed(1000)) // a build takes 23 ms
		id := a.create()
		build := func() any {
			a.want(200, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian})
			return dig(a.get(serverPath(id, "")), "data", "built")
		}
		require.Nil(t, build())
		time.Sleep(23 * time.Millisecond)
		first := dig(a.get(serverPath(id, "")), "data", "built")
		require.NotNil(t, first)
		assert.Equal(t, first, build(), "until it is done")
		time.Sleep(23 * time.Millisecond)
		assert.NotEqual(t, first, dig(a.get(serverPath(id, "")), "data", "built"), "though both ended in the same second")
		s, _ := a.p.Server(id)
		assert.Equal(t, 2, s.Builds)
	})
}

func TestAFailedBuildSaysSoOnlyInItsState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.p.FailNextBuild("no space left on device")
		id := a.create()
		a.want(200, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian})
		time.Sleep(23 * time.Second)
		got := a.get(serverPath(id, ""))
		assert.Equal(t, "failed", dig(got, "data", "state"))
		assert.EqualValues(t, 2, dig(got, "data", "commissionStatus"))
		assert.Equal(t, false, dig(got, "data", "buildFailed"))
		assert.Nil(t, dig(got, "data", "built"))
		s, _ := a.p.Server(id)
		assert.Equal(t, "no space left on device", s.FailReason)

		a.want(200, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian})
		time.Sleep(23 * time.Second)
		assert.Equal(t, "complete", dig(a.get(serverPath(id, "")), "data", "state"), "the next one works")
	})
}

func TestPowerOperationsEndWithTheirQueueItem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		id := a.built()
		for _, tt := range []struct {
			op      string
			takes   time.Duration
			running bool
		}{{"shutdown", 6 * time.Second, false}, {"boot", 3 * time.Second, true}, {"restart", 5 * time.Second, true}, {"poweroff", 3 * time.Second, false}} {
			queue := fmt.Sprintf("/queue/%.0f", dig(a.want(200, "POST", serverPath(id, "/power/"+tt.op), nil), "data", "queueId"))
			waiting := a.get(queue)
			assert.Nil(t, dig(waiting, "data", "started"))
			assert.Nil(t, dig(waiting, "data", "finished"))
			assert.EqualValues(t, 0, dig(waiting, "data", "progress"))
			time.Sleep(tt.takes - time.Nanosecond)
			almost := a.get(queue)
			assert.NotNil(t, dig(almost, "data", "started"))
			assert.Nil(t, dig(almost, "data", "finished"))
			assert.EqualValues(t, 99, dig(almost, "data", "progress"))
			time.Sleep(time.Nanosecond)
			done := a.get(queue)
			assert.NotNil(t, dig(done, "data", "finished"))
			assert.Equal(t, false, dig(done, "data", "failed"))
			assert.EqualValues(t, 100, dig(done, "data", "progress"))
			assert.Equal(t, tt.running, dig(a.get(serverPath(id, "?remoteState=true")), "data", "remoteState", "running"), tt.op)
		}
	})
}

func TestAFailedQueueItemHasAReasonAndNoEffect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		id := a.built()
		a.p.FailNext(TaskPoweroff, "domain is locked")
		queue := fmt.Sprintf("/queue/%.0f", dig(a.want(200, "POST", serverPath(id, "/power/poweroff"), nil), "data", "queueId"))
		time.Sleep(3 * time.Second)
		got := a.get(queue)
		assert.Equal(t, true, dig(got, "data", "failed"))
		assert.NotNil(t, dig(got, "data", "finished"))
		assert.Equal(t, "domain is locked", dig(got, "data", "errors", "exception", "message"))
		s, _ := a.p.Server(id)
		assert.True(t, s.Running)
	})
}

func TestAGuestMayIgnoreAShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		id := a.built()
		a.p.SetGuestIgnoresShutdown(id, true)
		a.want(200, "POST", serverPath(id, "/power/shutdown"), nil)
		time.Sleep(6 * time.Second)
		s, _ := a.p.Server(id)
		assert.True(t, s.Running)
	})
}

func TestTheProgressOfABuildGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		id := a.create()
		a.want(200, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian})
		last, steps := -1.0, 0
		for range 24 { // the first queue item of a panel has number 1001
			got := a.get("/queue/1001")
			progress := dig(got, "data", "progress").(float64)
			assert.GreaterOrEqual(t, progress, last)
			assert.GreaterOrEqual(t, len(dig(got, "data", "primaryActions").([]any)), steps)
			last, steps = progress, len(dig(got, "data", "primaryActions").([]any))
			time.Sleep(time.Second)
		}
		assert.EqualValues(t, 100, last)
		assert.Equal(t, 9, steps)
	})
}

func TestADeletedServerAnswersUntilItsDelayIsOver(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, query string
		gone        time.Duration
	}{
		{"no delay given means five minutes", "", 5*time.Minute + 2*time.Second},
		{"a delay in minutes", "?delay=60", time.Hour + 2*time.Second},
		{"zero means now", "?delay=0", 2 * time.Second},
		{"the longest delay", "?delay=43799", 43799*time.Minute + 2*time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				id := a.built()
				a.want(204, "DELETE", serverPath(id, tt.query), nil)
				start := time.Now()
				time.Sleep(tt.gone - time.Nanosecond)
				assert.Equal(t, "complete", dig(a.get(serverPath(id, "")), "data", "state"))
				time.Sleep(time.Nanosecond)
				gone := a.want(404, "GET", serverPath(id, ""), nil)
				assert.Equal(t, obj{"msg": "server not found"}, gone)
				a.want(404, "DELETE", serverPath(id, ""), nil)
				s, known := a.p.Server(id)
				require.True(t, known)
				assert.Equal(t, start.Add(tt.gone).UTC(), s.DeletedAt)
				assert.EqualValues(t, 0, a.get("/servers")["total"])

				again, _ := a.p.Server(a.create())
				assert.Equal(t, s.IPv4, again.IPv4, "its address is free again")
			})
		})
	}
}

func TestARepeatedDeleteIsFineAndTheLastDelayCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		id := a.create()
		a.want(204, "DELETE", serverPath(id, "?delay=60"), nil)
		a.want(204, "DELETE", serverPath(id, "?delay=60"), nil)
		a.want(204, "DELETE", serverPath(id, "?delay=1"), nil)
		time.Sleep(62 * time.Second)
		a.want(404, "GET", serverPath(id, ""), nil)
		for _, delay := range []string{"43800", "-1", "x", "1.5"} {
			a.want(422, "DELETE", serverPath(a.create(), "?delay="+delay), nil)
		}
	})
}

func TestSuspensionSwitchesTheServerOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		id := a.built()
		for range 2 {
			a.want(204, "POST", serverPath(id, "/suspend"), nil)
			assert.Equal(t, true, dig(a.get(serverPath(id, "")), "data", "suspended"))
		}
		s, _ := a.p.Server(id)
		assert.False(t, s.Running)
		a.want(423, "POST", serverPath(id, "/power/boot"), nil)
		a.want(423, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian})
		a.want(204, "POST", serverPath(id, "/unsuspend"), nil)
		a.want(204, "POST", serverPath(id, "/unsuspend"), nil)
		got := a.get(serverPath(id, ""))
		assert.Equal(t, false, dig(got, "data", "suspended"))
		assert.Equal(t, "complete", dig(got, "data", "state"))
		a.want(200, "POST", serverPath(id, "/power/boot"), nil)
	})
}

func TestSuspensionCanTakeTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, WithTiming(Timing{Suspend: 40 * time.Second}))
		id := a.built()
		a.want(204, "POST", serverPath(id, "/suspend"), nil)
		a.want(423, "POST", serverPath(id, "/suspend"), nil)
		assert.Equal(t, false, dig(a.get(serverPath(id, "")), "data", "suspended"))
		time.Sleep(40 * time.Second)
		assert.Equal(t, true, dig(a.get(serverPath(id, "")), "data", "suspended"))
	})
}

func TestAnUnreachableHypervisorTellsNothingAndDoesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		id := a.built()
		start := time.Now()
		a.get(serverPath(id, "?remoteState=true"))
		assert.Equal(t, 400*time.Millisecond, time.Since(start))

		a.p.SetHypervisorReachable(false)
		start = time.Now()
		got := a.get(serverPath(id, "?remoteState=true"))
		assert.Equal(t, 10*time.Second, time.Since(start))
		assert.NotContains(t, got["data"], "remoteState")
		start = time.Now()
		a.get(serverPath(id, ""))
		assert.Zero(t, time.Since(start), "the panel's own records cost nothing")

		queue := fmt.Sprintf("/queue/%.0f", dig(a.want(200, "POST", serverPath(id, "/power/poweroff"), nil), "data", "queueId"))
		time.Sleep(3 * time.Second)
		assert.Equal(t, true, dig(a.get(queue), "data", "failed"))
		a.p.SetHypervisorReachable(true)
		assert.Equal(t, true, dig(a.get(serverPath(id, "?remoteState=true")), "data", "remoteState", "running"))
	})
}

func TestAPasswordResetCountsWhenItsQueueItemHasEndedWell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		id := a.built()
		before, _ := a.p.Server(id)
		got := a.want(200, "POST", serverPath(id, "/resetPassword"), obj{"user": "root", "sendMail": false})
		now, _ := a.p.Server(id)
		assert.Equal(t, before.RootPassword, now.RootPassword)
		time.Sleep(5 * time.Second)
		now, _ = a.p.Server(id)
		assert.Equal(t, dig(got, "data", "expectedPassword"), now.RootPassword.Reveal())
		assert.Empty(t, a.p.Mails())

		a.want(200, "POST", serverPath(id, "/resetPassword"), obj{"user": "Administrator"})
		assert.Len(t, a.p.Mails(), 1, "a mail is the panel's default")
		a.want(423, "POST", serverPath(id, "/resetPassword"), obj{"user": "root"})
		a.want(422, "POST", serverPath(id, "/resetPassword"), obj{"user": "guest"})
		a.want(422, "POST", serverPath(id, "/resetPassword"), obj{})
		time.Sleep(5 * time.Second)

		a.want(200, "POST", serverPath(id, "/power/poweroff"), nil)
		time.Sleep(3 * time.Second)
		queue := fmt.Sprintf("/queue/%.0f", dig(a.want(200, "POST", serverPath(id, "/resetPassword"), obj{"user": "root"}), "data", "queueId"))
		time.Sleep(5 * time.Second)
		assert.Equal(t, true, dig(a.get(queue), "data", "failed"), "nobody is there to do it")
	})
}

func TestASecondDiskWaitsForAPowerActionAndFailedWorkBlocksBuilds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		in := smallOrder()
		in["packageId"] = PackageLarge
		made := a.want(201, "POST", "/servers", in)
		id := int64(dig(made, "data", "id").(float64))
		assert.Equal(t, "Create HDD (sdb)", dig(made, "data", "tasks", "actions", "pending", 0, "action"))
		assert.EqualValues(t, 1, dig(made, "data", "storage", 1, "status"))
		assert.Equal(t, "pending", dig(a.get(serverPath(id, "/actions")), "data", 0, "state"))

		a.p.FailDeferred(id)
		assert.Equal(t, "failed", dig(a.get(serverPath(id, "/actions")), "data", 0, "state"))
		got := a.want(423, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian})
		assert.Equal(t, obj{"msg": "pending tasks in queue"}, got)

		id = int64(dig(a.want(201, "POST", "/servers", in), "data", "id").(float64))
		a.want(200, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian})
		assert.Equal(t, "running", dig(a.get(serverPath(id, "/actions?state=running")), "data", 0, "state"))
		time.Sleep(23 * time.Second)
		built := a.get(serverPath(id, ""))
		assert.EqualValues(t, 3, dig(built, "data", "storage", 1, "status"))
		assert.Empty(t, dig(built, "data", "tasks", "actions", "pending"))
		assert.EqualValues(t, 1, a.get(serverPath(id, "/actions?state=completed"))["total"])
	})
}

func TestAPackageChangeDefersWhatNeedsAStoppedGuest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		id := a.built()
		path := serverPath(id, fmt.Sprintf("/package/%d", PackageMedium))
		a.want(200, "PUT", path, obj{"cpu": false, "memory": true, "primaryDiskSize": false})
		s, _ := a.p.Server(id)
		assert.EqualValues(t, []int64{2048, 1, 20, 2000}, []int64{s.MemoryMB, s.Cores, s.DiskGB, s.TrafficGB})
		assert.Equal(t, []string{"Update memory"}, s.Deferred)
		a.want(423, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian})

		a.want(200, "POST", serverPath(id, "/power/restart"), nil)
		a.want(423, "PUT", path, nil)
		time.Sleep(5 * time.Second)
		info := a.want(200, "PUT", path, nil)["info"]
		s, _ = a.p.Server(id)
		assert.EqualValues(t, []int64{2048, 2, 40, 2000}, []int64{s.MemoryMB, s.Cores, s.DiskGB, s.TrafficGB}, "an absent switch is on")
		assert.Contains(t, info, "memory not updated. It matches the current value")
		assert.NotContains(t, info, "CPU cores not updated. It matches the current value")
		time.Sleep(time.Second)
		a.want(200, "PUT", serverPath(id, fmt.Sprintf("/package/%d", PackageSmall)), nil)
		s, _ = a.p.Server(id)
		assert.EqualValues(t, []int64{1024, 1, 40}, []int64{s.MemoryMB, s.Cores, s.DiskGB}, "disks never shrink")
		a.want(422, "PUT", serverPath(id, fmt.Sprintf("/package/%d", PackageDisabled)), nil)
		assert.Equal(t, obj{"msg": "package not found"}, a.want(404, "PUT", serverPath(id, "/package/999"), nil))
	})
}

func TestTrafficIsCountedInMonthlyPeriods(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2000, 1, 31, 12, 0, 0, 0, time.UTC)))
		a := newAPI(t)
		id := a.built()
		a.p.AddTraffic(id, 1<<40, 5)
		time.Sleep(29 * 24 * time.Hour)
		a.p.AddTraffic(id, 7, 8)
		got := a.get(serverPath(id, "/traffic"))
		assert.Equal(t, []any{2.0, 1.0}, []any{dig(got, "data", "monthly", 0, "month"), dig(got, "data", "monthly", 1, "month")})
		assert.Equal(t, "2000-02-29 00:00:00", dig(got, "data", "monthly", 0, "start"))
		assert.Equal(t, "2000-03-30 23:59:59", dig(got, "data", "monthly", 0, "end"))
		assert.EqualValues(t, 15, dig(got, "data", "monthly", 0, "total"))
		assert.EqualValues(t, 1<<40+310<<20, dig(got, "data", "monthly", 1, "rx"))
		assert.EqualValues(t, 1000, dig(got, "data", "monthly", 0, "limit"))
		assert.Equal(t, "2000-02-29T00:00:00.000000Z", dig(a.get(serverPath(id, "")), "data", "traffic", "public", "currentPeriod", "start"))
	})
}

func TestASnapshotCarriesAPanelInTheMiddleOfABuildToAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		id := a.create()
		a.p.FailNext(TaskBoot, "later")
		a.want(200, "POST", serverPath(id, "/build"), obj{"operatingSystemId": TemplateDebian})
		time.Sleep(10 * time.Second)
		snapshot, err := a.p.Snapshot()
		require.NoError(t, err)

		b := &api{t, New(t, WithoutCatalogue())}
		require.NotEqual(t, a.p.Token(), b.p.Token())
		require.NoError(t, b.p.Restore(snapshot))
		assert.Equal(t, a.p.Token(), b.p.Token())
		assert.Equal(t, a.p.Servers(), b.p.Servers())
		assert.Equal(t, "building", dig(b.get(serverPath(id, "")), "data", "state"))
		time.Sleep(13 * time.Second)
		assert.Equal(t, a.get(serverPath(id, "")), b.get(serverPath(id, "")), "both panels come to the same end")
		assert.Equal(t, "complete", dig(b.get(serverPath(id, "")), "data", "state"))
		assert.Equal(t, id+1, b.create(), "ids go on")
		again, err := b.p.Snapshot()
		require.NoError(t, err)
		require.NoError(t, a.p.Restore(again))
		assert.Equal(t, b.p.Servers(), a.p.Servers())
	})
}

func TestWhatIsNotASnapshotIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	good, err := a.p.Snapshot()
	require.NoError(t, err)
	for _, text := range []string{
		``, `null`, `[]`, `{}`, `{"token":"x"}`, string(good[:len(good)/2]),
		string(good[:len(good)-1]) + `,"servers":{"1":null}}`, string(good[:len(good)-1]) + `,"servers":{"1":{"id":1,"hypervisorId":99}}}`,
		string(good[:len(good)-1]) + `,"jobs":{"1":{"serverId":5}}}`, string(good[:len(good)-1]) + `,"open":[5]}`,
		string(good[:len(good)-1]) + `,"blocks":{"1":{}}}`, string(good[:len(good)-1]) + `,"hypervisors":{"1":{}}}`,
	} {
		require.Error(t, a.p.Restore([]byte(text)), text)
	}
	assert.Equal(t, http.StatusOK, func() int { status, _ := a.do("GET", "/connect", nil); return status }())
}

func TestAReportedStateHidesTheRealOneUntilItIsTakenBack(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.create()
	a.p.SetState(id, "hibernating")
	assert.Equal(t, "hibernating", dig(a.get(serverPath(id, "")), "data", "state"))
	a.p.SetState(id, "")
	assert.Equal(t, "allocated", dig(a.get(serverPath(id, "")), "data", "state"))
}
