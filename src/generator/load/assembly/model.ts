/** Where the tables lie (`../load-abi`): one load a module. */
export let model: usize = 0;

export function modelAt(at: usize): void {
  model = at;
}
