import type {TestSpecification} from 'vitest/node';
import {BaseSequencer} from 'vitest/node';

/**
 * The files that take longest, the slowest first. Each begins before all others, since one that begins
 * last keeps a single core busy while the other waits.
 */
const SLOW = [
	'export/ansible',
	'export/shell-races',
	'containers/published',
	'proof/faults',
	'boot/timer',
	'boot/watchdog',
	'boot/init-systems',
	'boot/watch',
	'lockout/confirm',
	'export/shell',
	'proof/policies',
	'package/binary',
	'lockout/undo',
	'lockout/disk',
	'checklist/check-files',
	'system/published',
	'lockout/interrupt-cleanup',
	'system/exposure',
	'boot/cloud-init',
	'boot/neighbours',
	'system/open-close',
	'containers/guests',
	'proof/places',
	'boot/export',
	'export/shell-steps',
	'system/ending',
	'persistence/watch',
	'lockout/overdue',
	'proof/without-nft',
	'boot/firewalld',
	'proof/sources',
	'lockout/errors',
];

export class SlowFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const sorted = await super.sort(files);
		return sorted.sort((left, right) => rank(left) - rank(right));
	}
}

function rank({moduleId}: TestSpecification): number {
	const index = SLOW.findIndex((name) => moduleId.includes(`/test/${name}.test.`));
	return index === -1 ? SLOW.length : index;
}
