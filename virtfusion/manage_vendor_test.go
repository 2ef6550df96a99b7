package virtfusion_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/virtfusion"
)

// manageVendorBodies are the vendor's examples of the operations on what exists already, and what they are decoded into. Requests whose bodies are single
// values are held against the table of operations.
func manageVendorBodies() map[string]any {
	login := func() any {
		return new(wrapped[struct {
			Authentication virtfusion.Login `json:"authentication"`
		}])
	}
	return map[string]any{
		"GET_backups_server_serverId.200":                                     new(wrapped[[]virtfusion.Backup]),
		"GET_media_iso_isoId.200":                                             new(wrapped[virtfusion.ISO]),
		"GET_selfService_currencies.200":                                      new(wrapped[[]virtfusion.Currency]),
		"GET_selfService_hourlyStats_byUserExtRelationId_extRelationId.200":   new(wrapped[virtfusion.HourlyStats]),
		"GET_selfService_report_byUserExtRelationId_extRelationId.200":        new(wrapped[virtfusion.SelfServiceReport]),
		"GET_selfService_resourcePack_packId.200":                             new(wrapped[virtfusion.UserPack]),
		"GET_selfService_usage_byUserExtRelationId_extRelationId.200":         new(wrapped[virtfusion.SelfServiceUsage]),
		"POST_selfService_credit_byUserExtRelationId_extRelationId.201":       new(wrapped[virtfusion.Credit]),
		"POST_selfService_resourcePack_byUserExtRelationId_extRelationId.201": new(wrapped[virtfusion.AddedResourcePack]),
		"POST_users_extRelationId_authenticationTokens.200":                   login(),
		"POST_users_extRelationId_serverAuthenticationTokens_serverId.200":    login(),

		"POST_selfService_credit_byUserExtRelationId_extRelationId.request":       new(virtfusion.AddCreditRequest),
		"POST_selfService_resourcePack_byUserExtRelationId_extRelationId.request": new(virtfusion.AddResourcePackRequest),
		"POST_servers_serverId_customXML.request":                                 new(virtfusion.CustomXML),
	}
}

func TestEveryLeafOfTheVendorsExamplesOfManagingArrives(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(vendorBodies); err != nil {
		t.Skip("the reference folder is not beside the project")
	}
	for name, into := range manageVendorBodies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(filepath.Join(vendorBodies, name+".json"))
			require.NoError(t, err)
			arrives(t, body, into)
		})
	}
}

// The bodies of single values are sent exactly as the vendor shows them.
func TestSingleValuesAreSentAsTheVendorShowsThem(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(vendorBodies); err != nil {
		t.Skip("the reference folder is not beside the project")
	}
	for name, call := range map[string]func(*testing.T, *virtfusion.Client) error{
		"PUT_servers_serverId_modify_memory": func(t *testing.T, c *virtfusion.Client) error { return c.Servers.SetMemory(t.Context(), 1, 1024) },
		"PUT_servers_serverId_modify_cpuCores": func(t *testing.T, c *virtfusion.Client) error {
			return c.Servers.SetCPUCores(t.Context(), 1, 4)
		},
		"PUT_servers_serverId_modify_cpuThrottle": func(t *testing.T, c *virtfusion.Client) error {
			return c.Servers.ThrottleCPU(t.Context(), 1, 50, virtfusion.ThrottleCPUOptions{})
		},
		"POST_selfService_hourlyGroupProfile_byUserExtRelationId_extRelationId": func(t *testing.T, c *virtfusion.Client) error {
			return c.SelfService.AddHourlyGroupProfile(t.Context(), ext, 1)
		},
		"POST_selfService_resourceGroupProfile_byUserExtRelationId_extRelationId": func(t *testing.T, c *virtfusion.Client) error {
			return c.SelfService.AddResourceGroupProfile(t.Context(), ext, 1)
		},
		"PUT_selfService_access_byUserExtRelationId_extRelationId": func(t *testing.T, c *virtfusion.Client) error {
			return c.SelfService.RecomputeAccess(t.Context(), ext, true)
		},
		"PUT_selfService_hourlyResourcePack_byUserExtRelationId_extRelationId": func(t *testing.T, c *virtfusion.Client) error {
			return c.SelfService.SetHourlyResourcePack(t.Context(), ext, 1)
		},
		"PUT_selfService_resourcePack_packId": func(t *testing.T, c *virtfusion.Client) error {
			return c.SelfService.SetResourcePackEnabled(t.Context(), 1, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(filepath.Join(vendorBodies, name+".request.json"))
			require.NoError(t, err)
			c, panel := newClient(t, answer{status: 204})
			require.NoError(t, call(t, c))
			sameJSON(t, string(want), panel.requests()[0].body)
		})
	}
}

func TestEveryLeafOfOurAnswersOfManagingArrives(t *testing.T) {
	t.Parallel()
	for name, into := range map[string]any{
		"listLegacyServerBackups.200": new(wrapped[[]virtfusion.Backup]), "getISO.200": new(wrapped[virtfusion.ISO]),
		"listCurrencies.200": new(wrapped[[]virtfusion.Currency]),
		"getHourlyStats.200": new(wrapped[virtfusion.HourlyStats]), "getSelfServiceReport.200": new(wrapped[virtfusion.SelfServiceReport]),
		"getSelfServiceUsage.200": new(wrapped[virtfusion.SelfServiceUsage]), "getResourcePack.200": new(wrapped[virtfusion.UserPack]),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrives(t, fixture(t, name), into)
		})
	}
}
