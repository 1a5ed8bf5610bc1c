import type {Item} from '../../../source/checklist/checklist-item.ts';
import {wizard} from './cli.ts';
import type {Host} from './namespaces.ts';

type Report = {
	readonly status: number | undefined;
	/** Of the items that failed, what they say. */
	readonly failed: Readonly<Record<string, string>>;
	readonly items: Readonly<Record<string, Item>>;
};

/** What `fw-wizard check --json` says on a test machine. @throws {Error} when it says nothing */
export async function readChecklist(host: Host, ...flags: readonly string[]): Promise<Report> {
	const {status, stdout, stderr} = await wizard(host, 'check', '--json', ...flags);
	if (stderr !== '' || stdout === '') {
		throw new Error(`check ended with ${status}: ${stderr}`);
	}

	const {well, items} = JSON.parse(stdout) as {well: boolean; items: readonly Item[]};
	if (well !== (status === 0)) {
		throw new Error(`check ended with ${status}, and says well: ${well}`);
	}

	const failed = items.filter(({state}) => state === 'failed');
	return {
		status,
		failed: Object.fromEntries(failed.map(({id, cause}) => [id, cause ?? ''])),
		items: Object.fromEntries(items.map((item) => [item.id, item])),
	};
}
