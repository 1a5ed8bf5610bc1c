import {closeSync, openSync, readSync, statSync} from 'node:fs';
import {readText} from '../../host/files/read-text.ts';

/** A script that changes rules is shorter; a program that was bundled into one file is not. */
const MOST_BYTES = 256 * 1024;

type Script = {
	readonly language: 'shell' | 'other';
	/** What the first line has run it: `/usr/sbin/nft -f`; empty where it has none. */
	readonly interpreter: string;
	/** A service of OpenRC: its functions are called by openrc-run(8). */
	readonly isService: boolean;
	readonly text: string;
};

/**
 * The text of a script; undefined for a program in machine code, and for what is too long.
 * @param isRead a shell reads it with `.`: it need not begin as a script
 */
export function readScript(file: string, isRead: boolean): Script | undefined {
	const status = statSync(file, {throwIfNoEntry: false});
	if (!status?.isFile() || status.size > MOST_BYTES || (!isRead && !beginsAsScript(file))) {
		return undefined;
	}

	const text = readText(file);
	const [, interpreter = ''] = /^#!\s*(\S+(?:[ \t]+\S+)?)/.exec(text ?? '') ?? [];
	const isService = /openrc-run|runscript/.test(interpreter);
	return text === undefined || text.includes('\0')
		? undefined
		: {
				language:
					isService ||
					interpreter === '' ||
					/(?:^|[/ ])(?:ba|da|a|k|z)?sh$/.test(interpreter.replace(/ -\w+$/, ''))
						? 'shell'
						: 'other',
				interpreter,
				isService,
				text,
			};
}

function beginsAsScript(file: string): boolean {
	try {
		const descriptor = openSync(file, 'r');
		try {
			const begin = Buffer.alloc(2);
			readSync(descriptor, begin, 0, 2, 0);
			return begin.toString() === '#!';
		} finally {
			closeSync(descriptor);
		}
	} catch {
		return false;
	}
}
