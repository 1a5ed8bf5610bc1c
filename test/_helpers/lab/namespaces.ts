import {afterAll} from 'vitest';
import {type Lab, openLab} from './lab.ts';

export type {End, Host, HostOptions, Lab} from './lab.ts';

/** To be called in a `describe` block, or at the top of a file. */
export function useLab(): Lab {
	const lab = openLab();
	afterAll(lab.close);
	return lab;
}
