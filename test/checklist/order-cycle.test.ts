import {expect, test} from 'vitest';
import {parseCycles} from '../../source/checklist/order-cycle.ts';

/** As systemd 252 prints it. */
const LINES = `network.target: Found ordering cycle on network-pre.target/start
network.target: Found dependency on fw-wizard.service/start
network.target: Found dependency on etc-fw\\x2dwizard.mount/start
network.target: Found dependency on network.target/start
network.target: Job network-pre.target/start deleted to break ordering cycle starting with network.target/start
other.service: Command /nowhere is not executable: No such file or directory
local-fs.target: Found ordering cycle on mnt-data.mount/start
local-fs.target: Found dependency on local-fs.target/start
`;
/** As later releases do. */
const ONE_LINE = `sockets.target: Found ordering cycle: agent@1.socket → sysinit.target → run-wrappers.mount → sockets.target
agent@1.socket: Job sysinit.target/start deleted to break ordering cycle
`;

test('reads the units of each cycle, in their order', () => {
	expect(parseCycles(LINES)).toEqual([
		['network-pre.target', 'fw-wizard.service', 'etc-fw\\x2dwizard.mount', 'network.target'],
		['mnt-data.mount', 'local-fs.target'],
	]);
	expect(parseCycles(ONE_LINE)).toEqual([
		['agent@1.socket', 'sysinit.target', 'run-wrappers.mount', 'sockets.target'],
	]);
	expect(parseCycles('a.service: Failed to load\n')).toEqual([]);
});
