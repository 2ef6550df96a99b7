package provisioning_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestRecordStatusOfEveryCombination(t *testing.T) {
	t.Parallel()
	const running, stopped, creating, silence = provisioning.RecordRunning, provisioning.RecordStopped, provisioning.RecordCreating, provisioning.RecordStatus("")
	powers := []provisioning.PowerState{provisioning.PowerRunning, provisioning.PowerStopped, provisioning.PowerUnknown, somePower, ""}
	for phase, want := range map[provisioning.Phase][5]provisioning.RecordStatus{
		provisioning.PhaseAllocated: {creating, creating, creating, creating, creating},
		provisioning.PhaseBuilding:  {creating, creating, creating, creating, creating},
		provisioning.PhaseReady:     {running, stopped, silence, silence, silence},
		provisioning.PhaseFailed:    {silence, silence, silence, silence, silence},
		provisioning.PhaseUnknown:   {silence, silence, silence, silence, silence},
		someNewPhase:                {silence, silence, silence, silence, silence},
		"":                          {silence, silence, silence, silence, silence},
	} {
		for n, power := range powers {
			i := provisioning.Instance{Phase: phase, Power: power}
			status, ok := provisioning.RecordStatusOf(i, false)
			assert.Equal(t, want[n], status, "%q %q", phase, power)
			assert.Equal(t, want[n] != silence, ok, "%q %q", phase, power)

			for name, c := range map[string]struct {
				panel, billing bool
			}{"by the panel": {true, false}, "by billing": {false, true}, "by both": {true, true}} {
				i.Suspended = c.panel
				status, ok := provisioning.RecordStatusOf(i, c.billing)
				assert.True(t, ok)
				assert.Equal(t, provisioning.RecordSuspended, status, "%q %q suspended %s", phase, power, name)
			}
		}
	}
}
