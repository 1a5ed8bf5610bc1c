declare module 'postject' {
	/** Puts a resource into an executable, in place. */
	export function inject(
		file: string,
		resource: string,
		data: Uint8Array,
		options: {readonly sentinelFuse: string},
	): Promise<void>;
}
