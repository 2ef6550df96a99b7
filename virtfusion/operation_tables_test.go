package virtfusion_test

import "maps"

// operationTables are the tables of all resources: each operation that is implemented is in one of them. A new resource adds its table here.
func operationTables() [][]operation {
	return append([][]operation{generalOperations(), serverOperations(), serverActions(), orderOperations(), ownerOperations(),
		serverManagement(), catalogueManagement(), loginOperations(), selfServiceOperations()}, networkTables()...)
}

// writeClasses are the classes of the writes in operationTables. A new resource adds its map here.
func writeClasses() map[string]string {
	all := map[string]string{}
	for _, of := range []map[string]string{writes, manageWrites, catalogueWrites, loginWrites, selfServiceWrites, networkWrites} {
		maps.Copy(all, of)
	}
	return all
}
